/**
 * Room for dense records: an encounter of which a board kept 5 of the RPI's 16 bytes and one of the AEM's 4, in a record of 12 bytes.
 * A check of a column can't be changed, so both tables are made anew. Runs with foreign keys off: dropping a table must not delete what refers to it.
 */
export const dense = `
CREATE TABLE records_2 (
  log             INTEGER NOT NULL REFERENCES logs(id),
  seq             INTEGER NOT NULL,
  era             INTEGER NOT NULL,
  base_tick       INTEGER NOT NULL,
  kind            TEXT NOT NULL,
  slot            BLOB NOT NULL CHECK (length(slot) IN (28, 12)),
  committed_unix  INTEGER NOT NULL,
  PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO records_2 SELECT * FROM records;
DROP TABLE records;
ALTER TABLE records_2 RENAME TO records;
CREATE INDEX records_committed ON records(committed_unix);

-- rpi and aem: whole, or of a dense record the first 5 bytes and the second byte
CREATE TABLE encounters_2 (
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
  aem           BLOB NOT NULL,
  count         INTEGER,
  max_rssi      INTEGER NOT NULL,
  mean_rssi     INTEGER,
  address       TEXT,
  address_type  TEXT,
  position      TEXT,
  UNIQUE (log, seq),
  FOREIGN KEY (log, seq) REFERENCES records(log, seq) ON DELETE CASCADE,
  CHECK ((log IS NULL) <> (import_id IS NULL)),
  CHECK ((length(rpi) = 16 AND length(aem) = 4) OR (length(rpi) = 5 AND length(aem) = 1))
) STRICT;
INSERT INTO encounters_2 SELECT * FROM encounters;
DROP TABLE encounters;
ALTER TABLE encounters_2 RENAME TO encounters;
CREATE INDEX encounters_tick ON encounters(log, era, last_tick);
CREATE INDEX encounters_last ON encounters(last_unix);
CREATE INDEX encounters_import ON encounters(import_id) WHERE import_id IS NOT NULL;
`;
