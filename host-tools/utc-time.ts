const DAY = 86_400;

/** The first and the last second of what `2026-03-02`, `2026-03-02 08:30` or `2026-03-02 08:30:15` names, UTC, with T or Z if you like. Unix seconds; undefined for what is no time. */
export function utcTime(text: string): { first: number; last: number } | undefined {
  const found = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?Z?)?$/.exec(text);
  if (!found) return undefined;
  const [, date, minutes, seconds] = found;
  const ms = Date.parse(`${date}T${minutes ?? "00:00"}${seconds ?? ":00"}Z`);
  // a 30th of February would be taken for a day in March
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date) return undefined;
  const first = ms / 1000;
  return { first, last: first + (seconds ? 0 : minutes ? 59 : DAY - 1) };
}
