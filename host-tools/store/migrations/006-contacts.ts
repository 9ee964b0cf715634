/**
 * Contacts by QR code, and what was said to be safe.
 *
 * contact_keys  OpenCovidTrace's two keys of a board's day, secret; days since 1970
 * contacts      who was met by a QR code; day: the receiver's; way: how it came
 * safe_marks    encounters that never raise the alarm: those of a board, whole within a time, of one protocol, with an identifier that begins so. NULL: any
 */
export const contacts = `
CREATE TABLE contact_keys (
  board_id   TEXT NOT NULL REFERENCES boards(id) ON UPDATE CASCADE,
  day        INTEGER NOT NULL,
  daily_key  BLOB NOT NULL CHECK (length(daily_key) = 16),
  meta_key   BLOB NOT NULL CHECK (length(meta_key) = 16),
  PRIMARY KEY (board_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
  id             INTEGER PRIMARY KEY,
  board_id       TEXT NOT NULL REFERENCES boards(id) ON UPDATE CASCADE,
  received_unix  INTEGER NOT NULL,
  day            INTEGER NOT NULL,
  rolling_id     BLOB NOT NULL CHECK (length(rolling_id) = 16),
  meta           BLOB NOT NULL CHECK (length(meta) = 16),
  way            TEXT NOT NULL CHECK (way IN ('scanned', 'answer')),
  UNIQUE (board_id, day, rolling_id, meta)
) STRICT;

CREATE TABLE safe_marks (
  id          INTEGER PRIMARY KEY,
  board_id    TEXT NOT NULL REFERENCES boards(id) ON UPDATE CASCADE,
  protocol    TEXT,
  identifier  BLOB CHECK (length(identifier) BETWEEN 5 AND 16),
  from_unix   INTEGER,
  to_unix     INTEGER,
  note        TEXT,
  made_unix   INTEGER NOT NULL,
  CHECK (identifier IS NOT NULL OR (from_unix IS NOT NULL AND to_unix IS NOT NULL)),
  CHECK (from_unix <= to_unix)
) STRICT;
`;
