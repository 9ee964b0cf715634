/**
 * Messages of SmartBeacons that boards collected, as they were on the air, once for each board; nobody here can read them.
 *
 * received_unix  when the board had all of it, by the hub's clock
 * type           177 MESSAGE C, 178 Fernet token, 179 compact token with its type byte
 */
export const messages = `
CREATE TABLE messages (
  id             INTEGER PRIMARY KEY,
  board_id       TEXT NOT NULL REFERENCES boards(id) ON UPDATE CASCADE,
  received_unix  INTEGER NOT NULL,
  type           INTEGER NOT NULL CHECK (type IN (177, 178, 179)),
  bytes          BLOB NOT NULL,
  UNIQUE (board_id, type, bytes)
) STRICT;
CREATE INDEX messages_received ON messages(received_unix);
`;
