/**
 * Meetings of BlueTrace: what an encounter of the protocol bluetrace has beside its row in encounters. There `rpi` is the beginning of the TempID, 16 bytes of a meeting whose TempID
 * is here, 5 of one with a TempID that the same board had met before.
 *
 * temp_id    all 61 bytes; NULL: of an earlier meeting of the same log, the last one that begins with the same bytes
 * central    1 where the board had connected, 0 where its peer had
 * authority  the board's health authority as it was pulled; NULL where that is not known
 */
export const meetings = `
CREATE TABLE meetings (
  log        INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  temp_id    BLOB CHECK (temp_id IS NULL OR length(temp_id) = 61),
  central    INTEGER NOT NULL CHECK (central IN (0, 1)),
  authority  TEXT,
  PRIMARY KEY (log, seq),
  FOREIGN KEY (log, seq) REFERENCES records(log, seq) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
`;
