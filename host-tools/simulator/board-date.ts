import type { NarrowRealm } from "./narrow-realm.ts";

export interface DateHost {
  /** Unix seconds by the board's clock. */
  boardTime(): number;
  /** Hours ahead of UTC. */
  timeZone(): number;
  /** getUTCHours and its like came after 2v29. */
  utcGetters: boolean;
}

const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[-+]\d\d:?(?:\d\d)?)?)?/;
/** `Aug 9, 1995 …` and `Mon, 25 Dec 1995 …`, nothing else. */
const WORDS = /^(?:(\w{3}) (\d{1,2}), (\d{4})|\w{3}, (\d{1,2}) (\w{3}) (\d{4}))(?: (\d\d):(\d\d)(?::(\d\d))?)?(?: (?:GMT|UTC)([-+]\d{4})?)?/;
const HOUR = 3_600_000;

/** Date over the board's clock and time zone; milliseconds keep their fraction; what can't be read is the epoch, not NaN. Source: Espruino 2v29, src/jswrap_date.c. */
export function installDate(realm: NarrowRealm, host: DateHost): void {
  const times = new WeakMap<object, number>();
  const zone = () => host.timeZone() * HOUR;
  const now = () => host.boardTime() * 1000;
  const parse = (text: string): number => {
    const iso = ISO.exec(text);
    if (iso) {
      const [, year, month, day, hour, minute, second, offset] = iso;
      const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour ?? 0), Number(minute ?? 0)) + Number(second ?? 0) * 1000;
      return ms - offsetMs(offset, zone());
    }
    const words = WORDS.exec(text);
    if (!words) return 0;
    const month = MONTHS.indexOf(words[1] ?? words[5] ?? "");
    if (month < 0) return 0;
    const [year, day] = [Number(words[3] ?? words[6]), Number(words[2] ?? words[4])];
    const ms = Date.UTC(year, month, day, Number(words[7] ?? 0), Number(words[8] ?? 0), Number(words[9] ?? 0));
    return ms - (words[10] ? offsetMs(words[10], 0) : /GMT|UTC/.test(text) ? 0 : zone());
  };
  const DateClass = realm.nativeClass(function (this: unknown, ...args: never[]) {
    let time = now();
    if (args.length === 1) time = typeof args[0] === "string" ? parse(args[0]) : Number(args[0]);
    else if (args.length > 1) {
      const [year, month, day = 0, hour = 0, minute = 0, second = 0, ms = 0] = args.map(Number) as [number, number, ...number[]];
      time = Date.UTC(year, month, day, hour, minute, second, ms) - zone();
    }
    times.set(this as object, time);
    return undefined;
  }) as unknown as Record<string, unknown> & { prototype: object };
  const method = (name: string, fn: (time: number, ...args: number[]) => unknown) =>
    Object.defineProperty(DateClass.prototype, name, {
      value: realm.native(function (this: unknown, ...args: never[]) {
        return fn(times.get(this as object) ?? 0, ...args);
      }),
      writable: true,
      configurable: true,
      enumerable: false,
    });
  const setter = (name: string, change: (date: Date, args: number[]) => void) =>
    Object.defineProperty(DateClass.prototype, name, {
      value: realm.native(function (this: unknown, ...args: never[]) {
        const date = new Date((times.get(this as object) ?? 0) + zone());
        change(date, args.map(Number));
        times.set(this as object, date.getTime() - zone());
        return date.getTime() - zone();
      }),
      writable: true,
      configurable: true,
      enumerable: false,
    });
  const local = (time: number) => new Date(time + zone());
  method("getTime", (time) => time);
  method("valueOf", (time) => time);
  method("getFullYear", (time) => local(time).getUTCFullYear());
  method("getMonth", (time) => local(time).getUTCMonth());
  method("getDate", (time) => local(time).getUTCDate());
  method("getDay", (time) => local(time).getUTCDay());
  method("getHours", (time) => local(time).getUTCHours());
  method("getMinutes", (time) => local(time).getUTCMinutes());
  method("getSeconds", (time) => local(time).getUTCSeconds());
  method("getMilliseconds", (time) => local(time).getUTCMilliseconds());
  if (host.utcGetters) {
    const utc = (time: number) => new Date(time);
    method("getUTCFullYear", (time) => utc(time).getUTCFullYear());
    method("getUTCMonth", (time) => utc(time).getUTCMonth());
    method("getUTCDate", (time) => utc(time).getUTCDate());
    method("getUTCDay", (time) => utc(time).getUTCDay());
    method("getUTCHours", (time) => utc(time).getUTCHours());
    method("getUTCMinutes", (time) => utc(time).getUTCMinutes());
    method("getUTCSeconds", (time) => utc(time).getUTCSeconds());
    method("getUTCMilliseconds", (time) => utc(time).getUTCMilliseconds());
  }
  method("getTimezoneOffset", () => -60 * host.timeZone());
  method("getIsDST", () => false);
  setter("setTime", (date, [ms]) => date.setTime(ms! + zone()));
  setter("setFullYear", (date, [year, month, day]) => date.setUTCFullYear(year!, month ?? date.getUTCMonth(), day ?? date.getUTCDate()));
  setter("setMonth", (date, [month, day]) => date.setUTCMonth(month!, day ?? date.getUTCDate()));
  setter("setDate", (date, [day]) => date.setUTCDate(day!));
  setter("setHours", (date, [hour, minute, second, ms]) =>
    date.setUTCHours(hour!, minute ?? date.getUTCMinutes(), second ?? date.getUTCSeconds(), ms ?? date.getUTCMilliseconds()),
  );
  setter("setMinutes", (date, [minute, second, ms]) => date.setUTCMinutes(minute!, second ?? date.getUTCSeconds(), ms ?? date.getUTCMilliseconds()));
  setter("setSeconds", (date, [second, ms]) => date.setUTCSeconds(second!, ms ?? date.getUTCMilliseconds()));
  setter("setMilliseconds", (date, [ms]) => date.setUTCMilliseconds(ms!));
  const two = (value: number) => String(value).padStart(2, "0");
  const clock = (date: Date) => `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const zoneText = () => {
    const minutes = Math.round(host.timeZone() * 60);
    return `${minutes < 0 ? "-" : "+"}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`;
  };
  const toText = (time: number) => {
    const date = local(time);
    return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${date.getUTCDate()} ${date.getUTCFullYear()} ${clock(date)} GMT${zoneText()}`;
  };
  const toIso = (time: number) => new Date(Math.floor(time)).toISOString();
  method("toString", toText);
  method("toISOString", toIso);
  method("toJSON", toIso);
  method("toLocalISOString", (time) => toIso(time + zone()).replace("Z", zoneText()));
  method("toUTCString", (time) => {
    const date = new Date(time);
    return `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ${clock(date)} GMT`;
  });
  DateClass.now = realm.native(now);
  DateClass.parse = realm.native((text: never) => parse(String(text)));
  realm.define("Date", DateClass);
}

function offsetMs(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (text === "Z") return 0;
  const digits = text.slice(1).replace(":", "").padEnd(4, "0");
  return (text.startsWith("-") ? -1 : 1) * (Number(digits.slice(0, 2)) * HOUR + Number(digits.slice(2)) * 60_000);
}
