import type { NarrowRealm } from "./narrow-realm.ts";

interface Timer {
  id: number;
  /** Board uptime at which it is due, seconds. */
  due: number;
  /** Seconds; undefined for a timeout. */
  interval: number | undefined;
  /** False: what ran was thrown out. */
  run: () => unknown;
  /** Debouncing of a watch: `clearTimeout()` without an id leaves it alone. */
  internal: boolean;
}

/** Unix seconds as a float are good to a quarter of a microsecond. */
const ROUNDING = 0.000002;
const MINIMUM_MS = 0.1;
const MAXIMUM_MS = 3_153_600_000_000;

export interface TimerHost {
  /** Seconds since power-on by the board's own clock, which `setTime` doesn't touch; moves on while a script works. */
  uptime(): number;
  /** Calls a function or evaluates a string of the script; false when it was thrown out. */
  call(callback: unknown, args: unknown[]): boolean;
  /** An interval that was thrown out has been removed. */
  intervalLost(): void;
  /** Something changed: plan the next wake-up anew. */
  changed(): void;
}

/** setTimeout and its family. They never interrupt a script; a late interval catches up by one call each time round the main loop. Source: src/jsinteractive.c. */
export class Timers {
  private timers: Timer[] = [];
  /** Times a timer has called since the board was made. */
  events = 0;

  constructor(private readonly host: TimerHost) {}

  clear(): void {
    this.timers = [];
  }

  /** Uptime at which the next one is due. */
  get nextDue(): number | undefined {
    let next: number | undefined;
    for (const timer of this.timers) if (next === undefined || timer.due < next) next = timer.due;
    return next;
  }

  get count(): number {
    return this.timers.length;
  }

  add(run: () => unknown, ms: number, options: { repeat?: boolean; internal?: boolean } = {}): number {
    const seconds = Math.max(MINIMUM_MS, Number.isNaN(ms) ? 0 : ms) / 1000;
    // One more than the latest timer that is left: ids come again.
    const id = (this.timers.at(-1)?.id ?? 0) + 1;
    this.timers.push({
      id,
      due: this.host.uptime() + seconds,
      interval: options.repeat ? seconds : undefined,
      run,
      internal: options.internal === true,
    });
    this.host.changed();
    return id;
  }

  remove(id: unknown): void {
    this.timers = this.timers.filter((timer) => timer.id !== Number(id));
    this.host.changed();
  }

  /** One pass over all timers: each that is due by `now` (uptime) runs once. `mayGoOn` is asked before each. True if any ran. */
  pass(now: number, mayGoOn: () => boolean): boolean {
    let worked = false;
    const passed = new Set<Timer>();
    for (;;) {
      const timer = this.timers.find((one) => one.due <= now + ROUNDING && !passed.has(one));
      if (!timer || !mayGoOn()) return worked;
      passed.add(timer);
      worked = true;
      this.events += 1;
      const lost = timer.run() === false && timer.interval !== undefined;
      if (lost) this.host.intervalLost();
      if (timer.interval === undefined || lost) this.timers = this.timers.filter((one) => one !== timer);
      else timer.due += timer.interval;
    }
  }

  install(realm: NarrowRealm): void {
    const { host } = this;
    const set =
      (repeat: boolean) =>
      (callback: never, ms: never, ...args: never[]) => {
        if (typeof callback !== "function" && typeof callback !== "string") throw realm.error("Function or String not supplied!");
        if (Number(ms) > MAXIMUM_MS) throw realm.error("Interval is too long (>100 years)");
        return this.add(() => host.call(callback, args), Number(ms), { repeat });
      };
    const clear =
      (kind: string) =>
      (...ids: never[]) => {
        if (ids.length === 0) {
          this.timers = this.timers.filter((timer) => timer.internal);
          host.changed();
        } else if (ids[0] === undefined) throw realm.error(`clear${kind}(undefined) not allowed. Use clear${kind}() instead`);
        else this.remove(ids[0]);
      };
    const change = (id: never, ms: never) => {
      const timer = this.timers.find((one) => one.id === Number(id));
      if (!timer) throw realm.error("Unknown Interval");
      timer.interval = Math.max(MINIMUM_MS, Number(ms)) / 1000;
      timer.due = host.uptime() + timer.interval;
      host.changed();
    };
    realm.define("setTimeout", realm.native(set(false)));
    realm.define("setInterval", realm.native(set(true)));
    realm.define("clearTimeout", realm.native(clear("Timeout")));
    realm.define("clearInterval", realm.native(clear("Interval")));
    realm.define("changeInterval", realm.native(change));
  }
}
