// TIMESTAMP of MESSAGE C: local time and its offset, `2020-06-05/11:59:59/UTC+1` (QB-07). Source: "Quarantine Violation Police Alert", the document's own format.

function twoDigits(n: number): string {
  return n < 10 ? "0" + n : "" + n;
}

/** The text for a Unix second. `offsetMinutes`: of local time against UTC, -840 to 840; the offset has minutes only where there are some. */
export function formatTimestamp(unix: number, offsetMinutes: number): string {
  const local = unix + offsetMinutes * 60;
  const days = Math.floor(local / 86400);
  const seconds = local - days * 86400;
  // Days since 0000-03-01, in eras of 400 years that begin in March, so that the leap day is the last of a year. Source: proleptic Gregorian calendar.
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month < 3 ? 1 : 0);
  const offset = Math.abs(offsetMinutes);
  const hours = Math.floor(offset / 60);
  return (
    year +
    "-" +
    twoDigits(month) +
    "-" +
    twoDigits(day) +
    "/" +
    twoDigits(Math.floor(seconds / 3600)) +
    ":" +
    twoDigits(Math.floor(seconds / 60) % 60) +
    ":" +
    twoDigits(seconds % 60) +
    "/UTC" +
    (offsetMinutes < 0 ? "-" : "+") +
    hours +
    (offset % 60 ? ":" + twoDigits(offset % 60) : "")
  );
}
