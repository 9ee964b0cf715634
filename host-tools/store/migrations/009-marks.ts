/**
 * Marks of more kinds than safe: what protected a wearer for a time, and where a board was. Those of all of a board's time between two moments.
 *
 * kind   safe: encounters that never raise the alarm; mask, ward, vehicle: the wearer was protected; place: the board was there
 * place  name of the place
 */
export const marks = `
ALTER TABLE safe_marks RENAME TO marks;
ALTER TABLE marks ADD COLUMN kind TEXT NOT NULL DEFAULT 'safe' CHECK (
  kind = 'safe' OR
  (kind IN ('mask', 'ward', 'vehicle', 'place') AND identifier IS NULL AND protocol IS NULL AND from_unix IS NOT NULL AND to_unix IS NOT NULL)
);
ALTER TABLE marks ADD COLUMN place TEXT CHECK ((place IS NOT NULL) = (kind = 'place'));
`;
