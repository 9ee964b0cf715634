// TIMESTAMP of MESSAGE C: local time and its offset, `2020-06-05/11:59:59/UTC+1` (QB-07). Its Fernet variant: UTC with microseconds, `2020-06-05 10:59:59.123456`.
// Source: "Quarantine Violation Police Alert", the document's own formats.

function twoDigits(n: number): string {
  return n < 10 ? "0" + n : "" + n;
}

/** Date and time of day for a second since 1970: `2020-06-05`, `between`, `11:59:59`. */
function dateAndTime(second: number, between: string): string {
  const days = Math.floor(second / 86400);
  const seconds = second - days * 86400;
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
  return (
    year +
    "-" +
    twoDigits(month) +
    "-" +
    twoDigits(day) +
    between +
    twoDigits(Math.floor(seconds / 3600)) +
    ":" +
    twoDigits(Math.floor(seconds / 60) % 60) +
    ":" +
    twoDigits(seconds % 60)
  );
}

/** Seconds since 1970 of the 19 characters that `dateAndTime` writes; `undefined` for any others: no calendar has them, or the year is not 1970 to 2105. */
function readDateAndTime(text: string, between: string): number | undefined {
  const year = +text.substr(0, 4);
  const month = +text.substr(5, 2);
  if (!(year >= 1970 && year <= 2105 && month >= 1 && month <= 12)) return undefined;
  // The same calendar backwards: years begin in March.
  const fromMarch = (month + 9) % 12;
  const march = month < 3 ? year - 1 : year;
  const days = 365 * march + Math.floor(march / 4) - Math.floor(march / 100) + Math.floor(march / 400) + Math.floor((153 * fromMarch + 2) / 5);
  const seconds = +text.substr(11, 2) * 3600 + +text.substr(14, 2) * 60 + +text.substr(17, 2);
  const second = (days + +text.substr(8, 2) - 1 - 719468) * 86400 + seconds;
  // Written again it must be the same: that is what refuses the 31st of June, blanks and `1e3`.
  return dateAndTime(second, between) === text ? second : undefined;
}

/** The text for a Unix second. `offsetMinutes`: of local time against UTC, -840 to 840; the offset has minutes only where there are some. */
export function formatTimestamp(unix: number, offsetMinutes: number): string {
  const offset = Math.abs(offsetMinutes);
  return (
    dateAndTime(unix + offsetMinutes * 60, "/") +
    "/UTC" +
    (offsetMinutes < 0 ? "-" : "+") +
    Math.floor(offset / 60) +
    (offset % 60 ? ":" + twoDigits(offset % 60) : "")
  );
}

/** The Unix second that a TIMESTAMP names, `undefined` for what is none: 0 to 2^32-1, an offset of at most 14 h without a leading zero, minutes optional. */
export function parseTimestamp(text: string): number | undefined {
  const local = readDateAndTime(text.substr(0, 19), "/");
  const sign = text.charAt(23);
  const offset = text.substr(24).split(":");
  const hours = +offset[0];
  const minutes = offset.length > 1 ? +offset[1] : 0;
  if (local === undefined || text.substr(19, 4) !== "/UTC" || (sign !== "+" && sign !== "-")) return undefined;
  if (!(hours >= 0 && minutes >= 0 && minutes < 60 && hours * 60 + minutes <= 840)) return undefined;
  if (offset.length > 2 || offset[0] !== "" + Math.floor(hours) || (offset.length > 1 && offset[1] !== twoDigits(Math.floor(minutes))))
    return undefined;
  const unix = local - (hours * 60 + minutes) * (sign === "-" ? -60 : 60);
  return unix >= 0 && unix <= 0xffffffff ? unix : undefined;
}

/** The text of the Fernet variant, 26 characters. `microseconds`: 0 to 999,999. */
export function formatUtc(unix: number, microseconds: number): string {
  return dateAndTime(unix, " ") + "." + ("" + (1000000 + microseconds)).substr(1);
}

/** The Unix second that a text of the Fernet variant names, its fraction left out; `undefined` for what is none. */
export function parseUtc(text: string): number | undefined {
  const unix = readDateAndTime(text.substr(0, 19), " ");
  if (unix === undefined || text.length !== 26 || text.charAt(19) !== ".") return undefined;
  for (let i = 20; i < 26; i++) if (text.charAt(i) < "0" || text.charAt(i) > "9") return undefined;
  return unix;
}
