/**
 * The first layout. Times: `*_unix` Unix seconds (UTC), `*_ms` milliseconds, `*_tick` seconds since the board's era began. NULL is "not known".
 *
 * records    what a board's log held, slot by slot: the evidence. Everything that stands in encounters and sightings for a board can be computed from it again.
 * encounters merged contacts, of a board or of a file of the peer tool (exactly one of `log` and `import_id` is set)
 * clocks     ties between an era's ticks and UTC, from the board's CLOCK records
 * clock_syncs what the hub saw each time it set a clock
 */
export const first = `
CREATE TABLE boards (
  id            TEXT PRIMARY KEY,
  name          TEXT,
  type          TEXT,
  role          TEXT,
  firmware      TEXT,
  added_unix    INTEGER NOT NULL,
  contact_unix  INTEGER NOT NULL
) STRICT;

CREATE TABLE logs (
  id        INTEGER PRIMARY KEY,
  log_id    TEXT NOT NULL UNIQUE,
  board_id  TEXT NOT NULL REFERENCES boards(id) ON UPDATE CASCADE,
  next_seq  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX logs_board ON logs(board_id);

CREATE TABLE records (
  log             INTEGER NOT NULL REFERENCES logs(id),
  seq             INTEGER NOT NULL,
  era             INTEGER NOT NULL,
  base_tick       INTEGER NOT NULL,
  kind            TEXT NOT NULL,
  slot            BLOB NOT NULL CHECK (length(slot) = 28),
  committed_unix  INTEGER NOT NULL,
  PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX records_committed ON records(committed_unix);

CREATE TABLE damaged (
  log             INTEGER NOT NULL REFERENCES logs(id),
  seq             INTEGER NOT NULL,
  reason          TEXT NOT NULL,
  committed_unix  INTEGER NOT NULL,
  PRIMARY KEY (log, seq)
) STRICT, WITHOUT ROWID;

-- A row of a file counts once, by the hash of its content (row_key).
CREATE TABLE imports (
  id             INTEGER PRIMARY KEY,
  file           TEXT NOT NULL,
  kind           TEXT NOT NULL,
  imported_unix  INTEGER NOT NULL
) STRICT;

CREATE TABLE encounters (
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
  rpi           BLOB NOT NULL CHECK (length(rpi) = 16),
  aem           BLOB NOT NULL CHECK (length(aem) = 4),
  count         INTEGER,
  max_rssi      INTEGER NOT NULL,
  mean_rssi     INTEGER,
  address       TEXT,
  address_type  TEXT,
  position      TEXT,
  UNIQUE (log, seq),
  FOREIGN KEY (log, seq) REFERENCES records(log, seq) ON DELETE CASCADE,
  CHECK ((log IS NULL) <> (import_id IS NULL))
) STRICT;
CREATE INDEX encounters_tick ON encounters(log, era, last_tick);
CREATE INDEX encounters_last ON encounters(last_unix);
CREATE INDEX encounters_import ON encounters(import_id) WHERE import_id IS NOT NULL;

CREATE TABLE sightings (
  id            INTEGER PRIMARY KEY,
  log           INTEGER,
  seq           INTEGER,
  era           INTEGER,
  tick          INTEGER,
  import_id     INTEGER REFERENCES imports(id) ON DELETE CASCADE,
  row_key       BLOB UNIQUE,
  board_id      TEXT REFERENCES boards(id) ON UPDATE CASCADE,
  unix          INTEGER,
  rpi           BLOB NOT NULL CHECK (length(rpi) = 16),
  aem           BLOB CHECK (length(aem) = 4),
  rssi          INTEGER NOT NULL,
  address       TEXT,
  address_type  TEXT,
  position      TEXT,
  UNIQUE (log, seq),
  FOREIGN KEY (log, seq) REFERENCES records(log, seq) ON DELETE CASCADE,
  CHECK ((log IS NULL) <> (import_id IS NULL))
) STRICT;
CREATE INDEX sightings_tick ON sightings(log, era, tick);
CREATE INDEX sightings_unix ON sightings(unix);
CREATE INDEX sightings_import ON sightings(import_id) WHERE import_id IS NOT NULL;

CREATE TABLE clocks (
  log            INTEGER NOT NULL REFERENCES logs(id),
  seq            INTEGER NOT NULL,
  era            INTEGER NOT NULL,
  tick           INTEGER NOT NULL,
  unix_ms        INTEGER NOT NULL,
  step_ms        INTEGER,
  round_trip_ms  INTEGER NOT NULL,
  why            INTEGER NOT NULL,
  PRIMARY KEY (log, era, tick, unix_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE clock_syncs (
  id             INTEGER PRIMARY KEY,
  log            INTEGER NOT NULL REFERENCES logs(id),
  host_ms        INTEGER NOT NULL,
  board_ms       INTEGER,
  offset_ms      REAL,
  step_ms        REAL,
  round_trip_ms  REAL NOT NULL,
  rotations      INTEGER,
  drift_ppm      REAL,
  era            INTEGER,
  tick           INTEGER
) STRICT;
CREATE INDEX clock_syncs_log ON clock_syncs(log, host_ms);

CREATE TABLE teks (
  tek             BLOB NOT NULL CHECK (length(tek) = 16),
  rolling_start   INTEGER NOT NULL,
  rolling_period  INTEGER NOT NULL CHECK (rolling_period BETWEEN 1 AND 144),
  board_id        TEXT REFERENCES boards(id) ON UPDATE CASCADE,
  import_id       INTEGER REFERENCES imports(id) ON DELETE CASCADE,
  added_unix      INTEGER NOT NULL,
  PRIMARY KEY (tek, rolling_start)
) STRICT, WITHOUT ROWID;
`;
