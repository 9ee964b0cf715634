import type { BoardCore } from "./board-core.ts";

/** Pins that lights and buttons are on. Source: Espruino 2v29, boards/*.py. Others get free ones. */
const KNOWN_PINS: { [board: string]: { [name: string]: number } } = {
  puckjs: { LED1: 5, LED2: 4, LED3: 3, BTN1: 0 },
  pixljs: { LED1: 14, BTN1: 31, BTN2: 2, BTN3: 4, BTN4: 16 },
  mdbt42q: { LED1: 2, BTN1: 0 },
  bangle2: { BTN1: 17 },
};
const PIN_COUNT = 32;
/** A watch, as the input queue holds it: header and 32 bits of time. */
const WATCH_BYTES = 6;

interface Watch {
  id: number;
  pin: number;
  callback: unknown;
  repeat: boolean;
  edge: number;
  debounceMs: number;
  state: boolean;
  lastTime: number | undefined;
  timer: number | undefined;
}

export interface PinHost {
  core: BoardCore;
  /** An edge goes through the input queue. */
  queueEdge(cost: number, run: () => void): void;
}

/** Levels of the board's pins, its lights and buttons. They outlive a reset of the script as the button does its being held. */
export class Pins {
  /** 0 to 1, by pin. */
  readonly level = new Float64Array(PIN_COUNT);
  private readonly names = new Map<string, number>();
  private readonly buttons = new Set<number>();
  private watches: Watch[] = [];
  private lastWatch = 0;

  constructor(
    private readonly host: PinHost,
    lights: string[],
    buttons: string[],
  ) {
    const known = KNOWN_PINS[host.core.facts.id] ?? {};
    let free = PIN_COUNT - 1;
    for (const name of [...lights, ...buttons]) {
      const taken = new Set([...this.names.values(), ...Object.values(known)]);
      while (known[name] === undefined && taken.has(free)) free -= 1;
      this.names.set(name, known[name] ?? free);
    }
    for (const name of buttons) this.buttons.add(this.names.get(name)!);
  }

  /** Brightness of a light or level of a button, 0 to 1. */
  read(name: string): number {
    const pin = this.names.get(name);
    return pin === undefined ? 0 : this.level[pin]!;
  }

  /** From outside: a button goes down or up. */
  drive(name: string, level: 0 | 1): void {
    const pin = this.names.get(name);
    if (pin === undefined || this.level[pin] === level) return;
    this.level[pin] = level;
    const time = this.host.core.boardTime;
    const edge = this.buttons.has(pin) ? this.host.core.wristwatch?.button(level === 1) : undefined;
    if (edge === "kept") return;
    if (edge === "noted") this.host.queueEdge(WATCH_BYTES, () => this.note(pin, level === 1));
    else if (this.watches.some((watch) => watch.pin === pin)) this.host.queueEdge(WATCH_BYTES, () => this.edge(pin, level === 1, time));
  }

  /** The script starts anew: no watches, lights out. */
  reset(): void {
    this.watches = [];
    for (let pin = 0; pin < PIN_COUNT; pin++) if (!this.buttons.has(pin)) this.level[pin] = 0;
  }

  /** An edge that the script isn't called for: the watches know the level. */
  private note(pin: number, high: boolean): void {
    for (const watch of this.watches.filter((one) => one.pin === pin)) {
      if (watch.timer !== undefined) this.host.core.timers.remove(watch.timer);
      watch.timer = undefined;
      watch.state = high;
    }
  }

  private edge(pin: number, high: boolean, time: number): void {
    for (const watch of this.watches.filter((one) => one.pin === pin)) {
      if (watch.debounceMs <= 0) {
        watch.state = high;
        this.fire(watch, high, time);
      } else {
        const { timers } = this.host.core;
        if (watch.timer !== undefined) timers.remove(watch.timer);
        watch.timer = timers.add(
          () => {
            watch.timer = undefined;
            const settled = this.level[watch.pin] === 1;
            if (settled === watch.state) return;
            watch.state = settled;
            this.fire(watch, settled, time);
          },
          watch.debounceMs,
          { internal: true },
        );
      }
    }
  }

  private fire(watch: Watch, state: boolean, time: number): void {
    const { core } = this.host;
    const { lastTime } = watch;
    watch.lastTime = time;
    if (watch.edge !== 0 && state !== watch.edge > 0) return;
    if (!watch.repeat) this.watches = this.watches.filter((one) => one !== watch);
    core.callScript(watch.callback, [core.realm.object({ state, lastTime, time, pin: this.objects[watch.pin] })]);
  }

  private objects: object[] = [];

  install(): void {
    const { core } = this.host;
    const { realm } = core;
    const pins = this;
    const pulses = (pin: number, value: boolean, times: number[]) => {
      let at = 0;
      let level = value;
      this.level[pin] = level ? 1 : 0;
      for (const ms of times) {
        at += ms;
        level = !level;
        const next = level;
        core.timers.add(
          () => {
            this.level[pin] = next ? 1 : 0;
          },
          at,
          { internal: true },
        );
      }
    };
    const PinClass = realm.nativeClass((value: never) => pins.objects[pins.index(value) ?? -1]);
    const prototype = (PinClass as unknown as { prototype: object }).prototype;
    const method = (name: string, fn: (pin: number, ...args: unknown[]) => unknown) =>
      Object.defineProperty(prototype, name, {
        value: realm.native(function (this: unknown, ...args: never[]) {
          return fn(pins.index(this) ?? 0, ...args);
        }),
        writable: true,
        configurable: true,
        enumerable: false,
      });
    method("set", (pin) => this.output(pin, 1));
    method("reset", (pin) => this.output(pin, 0));
    method("write", (pin, level) => this.output(pin, level ? 1 : 0));
    method("writeAtTime", (pin, level) => this.output(pin, level ? 1 : 0));
    method("toggle", (pin) => this.output(pin, this.level[pin] ? 0 : 1) ?? this.level[pin] === 1);
    method("read", (pin) => this.level[pin]! >= 0.5);
    method("analog", (pin) => this.level[pin]);
    method("pwm", (pin, level) => this.output(pin, Number(level)));
    method("pulse", (pin, level, time) => pulses(pin, Boolean(level), Array.isArray(time) ? time.map(Number) : [Number(time)]));
    method("mode", () => undefined);
    method("getMode", () => "input");
    method("getInfo", (pin) => realm.object({ port: "D", num: pin }));
    method("valueOf", (pin) => pin);
    method("toString", (pin) => `D${pin}`);
    realm.define("Pin", PinClass);
    this.objects = [];
    for (let pin = 0; pin < PIN_COUNT; pin++) {
      const object = Object.create(prototype) as object;
      this.objects.push(object);
      realm.markDevice(object, `D${pin}`, true);
      realm.define(`D${pin}`, object);
    }
    for (const [name, pin] of this.names) realm.define(name, this.objects[pin]);
    for (const [short, name] of [
      ["LED", "LED1"],
      ["BTN", "BTN1"],
    ] as const)
      if (this.names.has(name)) realm.define(short, this.objects[this.names.get(name)!]);
    realm.define("HIGH", 1);
    realm.define("LOW", 0);
    const define = (name: string, fn: (...args: never[]) => unknown) => realm.define(name, realm.native(fn));
    define("digitalWrite", (target: never, level: never) => {
      const list = this.list(target);
      list.forEach((pin, i) => {
        this.output(pin, Array.isArray(target) ? (Number(level) >> (list.length - 1 - i)) & 1 : level ? 1 : 0);
      });
    });
    define("digitalRead", (target: never) => this.list(target).reduce((value, pin) => value * 2 + (this.level[pin]! >= 0.5 ? 1 : 0), 0));
    define("analogWrite", (target: never, level: never) => this.output(this.need(target), Number(level)));
    define("analogRead", (target: never) => {
      const pin = this.need(target);
      const { battery } = core.facts;
      return battery && pin === this.index(battery.pin) ? core.batteryVolts / battery.voltsAtOne : this.level[pin];
    });
    define("digitalPulse", (target: never, level: never, time: never) =>
      pulses(this.need(target), Boolean(level), Array.isArray(time) ? (time as unknown[]).map(Number) : [Number(time)]),
    );
    define("pinMode", () => undefined);
    define("shiftOut", () => undefined);
    define("getPinMode", () => "input");
    define("setWatch", (callback: never, target: never, options: never) => this.watch(callback, target, options));
    define("clearWatch", (...ids: never[]) => {
      if (ids.length > 0 && ids[0] === undefined) throw realm.error("clearWatch(undefined) not allowed. Use clearWatch() instead");
      this.watches = ids.length === 0 ? [] : this.watches.filter((watch) => watch.id !== Number(ids[0]));
    });
  }

  private output(pin: number, level: number): void {
    if (!this.buttons.has(pin)) this.level[pin] = Math.max(0, Math.min(1, level));
  }

  private index(value: unknown): number | undefined {
    if (typeof value === "number" && value >= 0 && value < PIN_COUNT) return value;
    if (typeof value === "string") return this.names.get(value) ?? (/^D\d+$/.test(value) ? Number(value.slice(1)) : undefined);
    const at = this.objects.indexOf(value as object);
    return at < 0 ? undefined : at;
  }

  private need(value: unknown): number {
    const pin = this.index(value);
    if (pin === undefined) throw this.host.core.realm.error("Invalid pin!");
    return pin;
  }

  private list(target: unknown): number[] {
    return Array.isArray(target) ? target.map((one) => this.need(one)) : [this.need(target)];
  }

  private watch(callback: unknown, target: unknown, options: unknown): number | undefined {
    const { realm } = this.host.core;
    if (typeof callback !== "function" && typeof callback !== "string") throw realm.error("Function or String not supplied!");
    const pin = this.index(target);
    if (pin === undefined) {
      this.host.core.print("ERROR: Invalid pin\n");
      return undefined;
    }
    const given = typeof options === "object" && options !== null ? (options as Record<string, unknown>) : { repeat: options };
    const edges: { [name: string]: number } = { rising: 1, falling: -1, both: 0 };
    if (given.edge !== undefined && edges[String(given.edge)] === undefined && ![1, -1, 0].includes(given.edge as number))
      throw realm.error("'edge' in setWatch should be 1, -1, 0, 'rising', 'falling' or 'both'", "TypeError");
    const button = this.buttons.has(pin);
    this.lastWatch += 1;
    this.watches.push({
      id: this.lastWatch,
      pin,
      callback,
      repeat: Boolean(given.repeat),
      edge: edges[String(given.edge)] ?? (typeof given.edge === "number" ? Math.sign(given.edge) : button ? 1 : 0),
      debounceMs: given.debounce === undefined ? (button ? 25 : 0) : Number(given.debounce),
      state: this.level[pin] === 1,
      lastTime: undefined,
      timer: undefined,
    });
    return this.lastWatch;
  }
}
