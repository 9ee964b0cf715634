/**
 * Room for the other protocols. A check of a column can't be changed, so the table of encounters is made anew; runs with foreign keys off, as the step before.
 *
 * encounters      protocol: a name of PROTOCOLS in boards/capabilities.ts; tx_power: dBm as the packet told it, NULL where it told none. Both forms of GAEN as before,
 *                 with metadata; of the others `rpi` is their identifier and there is no metadata
 * keys_of_others  own keys of the other protocols (keys-of-others.ts), days since 1970; last_day NULL: a chain that goes on
 */
export const otherProtocols = `
CREATE TABLE encounters_3 (
  id            INTEGER PRIMARY KEY,
  log           INTEGER,
  seq           INTEGER,
  era           INTEGER,
  first_tick    INTEGER,
  last_tick     INTEGER,
  import_id     INTEGER REFERENCES imports(id) ON DELETE CASCADE,
  row_key       BLOB UNIQUE,
  board_id      TEXT REFERENCES boards(id) ON UPDATE CASCADE,
  first_unix    INTEGER,
  last_unix     INTEGER,
  rpi           BLOB NOT NULL,
  aem           BLOB,
  count         INTEGER,
  max_rssi      INTEGER NOT NULL,
  mean_rssi     INTEGER,
  address       TEXT,
  address_type  TEXT,
  position      TEXT,
  protocol      TEXT NOT NULL DEFAULT 'gaen',
  tx_power      INTEGER,
  UNIQUE (log, seq),
  FOREIGN KEY (log, seq) REFERENCES records(log, seq) ON DELETE CASCADE,
  CHECK ((log IS NULL) <> (import_id IS NULL)),
  CHECK (CASE WHEN protocol <> 'gaen' THEN aem IS NULL AND length(rpi) IN (16, 5)
    ELSE aem IS NOT NULL AND tx_power IS NULL AND ((length(rpi) = 16 AND length(aem) = 4) OR (length(rpi) = 5 AND length(aem) = 1)) END)
) STRICT;
INSERT INTO encounters_3 SELECT *, 'gaen', NULL FROM encounters;
DROP TABLE encounters;
ALTER TABLE encounters_3 RENAME TO encounters;
CREATE INDEX encounters_tick ON encounters(log, era, last_tick);
CREATE INDEX encounters_last ON encounters(last_unix);
CREATE INDEX encounters_import ON encounters(import_id) WHERE import_id IS NOT NULL;

CREATE TABLE keys_of_others (
  protocol    TEXT NOT NULL,
  key         BLOB NOT NULL CHECK (length(key) IN (16, 32)),
  start_day   INTEGER NOT NULL,
  last_day    INTEGER,
  ended       INTEGER NOT NULL CHECK (ended IN (0, 1)),
  board_id    TEXT REFERENCES boards(id) ON UPDATE CASCADE,
  added_unix  INTEGER NOT NULL,
  PRIMARY KEY (protocol, key, start_day)
) STRICT, WITHOUT ROWID;
`;
