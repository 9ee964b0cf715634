/**
 * Meetings of BlueTrace that came from files: a phone's records. Each is an encounter of the protocol bluetrace, whose `rpi` is the beginning of the TempID; here is what else there is.
 *
 * temp_id           all 61 bytes
 * authority         whose TempID it is
 * model_p, model_c  what peripheral and central called themselves
 * version           of the packet
 */
export const importedMeetings = `
CREATE TABLE imported_meetings (
  encounter  INTEGER PRIMARY KEY REFERENCES encounters(id) ON DELETE CASCADE,
  temp_id    BLOB NOT NULL CHECK (length(temp_id) = 61),
  authority  TEXT NOT NULL,
  model_p    TEXT NOT NULL,
  model_c    TEXT NOT NULL,
  version    INTEGER NOT NULL
) STRICT;
`;
