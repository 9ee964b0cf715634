import type { NarrowRealm } from "./narrow-realm.ts";
import type { Screen } from "./screen.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

export interface WristwatchHost {
  clock: VirtualClock;
  screen: Screen;
  /** Tells the script's handlers of an event of `Bangle`, from the main loop. */
  emit(event: string, args: unknown[]): void;
  /** From the main loop. */
  enqueue(work: () => void): void;
  /** Runs the script anew, as `load()`. */
  load(): void;
}

/** What becomes of the button's going down or up: a watch is told, is told without calling the script, or is not told. */
export type Edge = "told" | "noted" | "kept";

/** What `Bangle.setOptions` takes, of what concerns button and screen, and what it is when the interpreter starts. Timeouts in ms, 0: never. */
const AT_START = { btnLoadTimeout: 1500, lcdPowerTimeout: 0, backlightTimeout: 3000, lockTimeout: 5000 };
/** The same for what lasts until the power goes. */
const AT_POWER_ON = { wakeOnBTN1: true, wakeOnTwist: true, wakeOnTouch: false, wakeOnFaceUp: false, wakeOnDoubleTap: false, powerSave: true };
/** After a press that woke it, further edges belong to that press. */
const WAKE_PRESS_SECONDS = 0.1;

/**
 * What a Bangle.js 2 does by itself with its button and its screen: it locks, darkens and switches off when nobody has pressed for a while; a press wakes it and is spent on that; a
 * long one runs the script anew. The real one looks every 80 ms, or 800 at rest; here it is at once. Twists, touches and the accelerometer are not there.
 * Source: Espruino 2v29, libs/banglejs/jswrap_bangle.c.
 */
export class Wristwatch {
  locked = false;
  private isLit = true;
  private timeouts = { ...AT_START };
  private wakes = { ...AT_POWER_ON };
  private activeAt = 0;
  private idle: Scheduled | undefined;
  private hold: Scheduled | undefined;
  private isDown = false;
  /** The button has woken it, and what it does until then belongs to that. */
  private wokenUntil: number | undefined;

  constructor(private readonly host: WristwatchHost) {}

  /** Is the back-light on? */
  get lit(): boolean {
    return this.isLit && this.host.screen.on;
  }

  powerOn(): void {
    this.wakes = { ...AT_POWER_ON };
    this.locked = false;
    this.isLit = true;
    this.host.screen.on = true;
  }

  powerOff(): void {
    this.idle?.cancel();
    this.hold?.cancel();
    this.isDown = false;
  }

  /** The interpreter starts: `Bangle`, and its timeouts as they were. */
  install(realm: NarrowRealm): object {
    this.timeouts = { ...AT_START };
    this.wokenUntil = this.isDown ? this.host.clock.now : undefined;
    this.active();
    const bangle = realm.library({
      setLCDPower: (on: never) => this.setLcdPower(Boolean(on)),
      setBacklight: (on: never) => this.setBacklight(Boolean(on)),
      setLocked: (locked: never) => this.setLocked(Boolean(locked), "js"),
      isLocked: () => this.locked,
      isLCDOn: () => this.host.screen.on,
      isBacklightOn: () => this.isLit,
      setLCDTimeout: (seconds: never) => {
        const ms = Math.max(0, Number(seconds) * 1000) || 0;
        this.set({ lcdPowerTimeout: ms, backlightTimeout: ms, lockTimeout: ms });
      },
      getOptions: () => realm.object({ ...this.timeouts, ...this.wakes }),
      setOptions: (options: never) => {
        const given = options as Record<string, unknown>;
        for (const name of Object.keys(given))
          if (!(name in AT_START || name in AT_POWER_ON)) throw realm.error(`Unknown option ${JSON.stringify(name)}`);
        this.set(given);
      },
    });
    realm.define("Bangle", bangle);
    return bangle;
  }

  private set(options: Record<string, unknown>): void {
    for (const name of Object.keys(AT_START) as (keyof typeof AT_START)[])
      if (options[name] !== undefined) this.timeouts[name] = Math.max(0, Number(options[name]) || 0);
    for (const name of Object.keys(AT_POWER_ON) as (keyof typeof AT_POWER_ON)[])
      if (options[name] !== undefined) this.wakes[name] = Boolean(options[name]);
    this.plan();
  }

  /** The button goes down or up. */
  button(down: boolean): Edge {
    const { clock } = this.host;
    this.isDown = down;
    this.hold?.cancel();
    const { btnLoadTimeout } = this.timeouts;
    if (down && btnLoadTimeout > 0) this.hold = clock.after(btnLoadTimeout / 1000, () => this.host.load());
    if (down && this.wakes.wakeOnBTN1 && this.wake()) {
      this.wokenUntil = clock.now + WAKE_PRESS_SECONDS;
      return "kept";
    }
    let edge: Edge = this.locked ? "kept" : "told";
    if (!this.locked) this.active();
    if (this.wokenUntil !== undefined) {
      if (clock.now < this.wokenUntil || !down) {
        this.wokenUntil = clock.now + WAKE_PRESS_SECONDS;
        if (edge === "told") edge = "noted";
      } else this.wokenUntil = undefined;
    }
    return edge;
  }

  /** Was there anything to wake? */
  private wake(): boolean {
    const { screen } = this.host;
    const { lcdPowerTimeout, backlightTimeout, lockTimeout } = this.timeouts;
    const tasks: (() => void)[] = [];
    if (lcdPowerTimeout > 0 && !screen.on) tasks.push(() => this.setLcdPower(true));
    if (backlightTimeout > 0 && !this.isLit) tasks.push(() => this.setBacklight(true));
    if (lockTimeout > 0 && this.locked) tasks.push(() => this.setLocked(false, "button"));
    if (tasks.length === 0) return false;
    this.active();
    this.host.enqueue(() => {
      for (const task of tasks) task();
    });
    return true;
  }

  private active(): void {
    this.activeAt = this.host.clock.now;
    this.plan();
  }

  /** When something is next to be switched off. */
  private plan(): void {
    this.idle?.cancel();
    const { lcdPowerTimeout, backlightTimeout, lockTimeout } = this.timeouts;
    const due: [number, () => void][] = [];
    if (lcdPowerTimeout > 0 && this.host.screen.on) due.push([lcdPowerTimeout, () => this.setLcdPower(false)]);
    if (backlightTimeout > 0 && this.isLit) due.push([backlightTimeout, () => this.setBacklight(false)]);
    if (lockTimeout > 0 && !this.locked) due.push([lockTimeout, () => this.setLocked(true, "timeout")]);
    if (due.length === 0) return;
    const first = Math.min(...due.map(([ms]) => ms));
    this.idle = this.host.clock.at(Math.max(this.host.clock.now, this.activeAt + first / 1000), () =>
      this.host.enqueue(() => {
        for (const [ms, work] of due) if (ms === first) work();
        this.plan();
      }),
    );
  }

  private setLcdPower(on: boolean): void {
    const { screen } = this.host;
    const { lcdPowerTimeout, backlightTimeout, lockTimeout } = this.timeouts;
    const changed = screen.on !== on;
    screen.on = on;
    this.setBacklight(on);
    if (changed) this.host.emit("lcdPower", [on]);
    if (on && (lcdPowerTimeout > 0 || backlightTimeout > 0)) this.activeAt = this.host.clock.now;
    if (!on && lockTimeout > 0 && lockTimeout <= lcdPowerTimeout) this.setLocked(true, "lcd");
    this.plan();
  }

  private setBacklight(on: boolean): void {
    const { backlightTimeout, lockTimeout } = this.timeouts;
    if (on !== this.isLit) this.host.emit("backlight", [on]);
    if (on && backlightTimeout > 0) this.activeAt = this.host.clock.now;
    if (!on && lockTimeout > 0 && lockTimeout <= backlightTimeout) this.setLocked(true, "backlight");
    this.isLit = on;
    this.plan();
  }

  private setLocked(locked: boolean, reason: string): void {
    // told again when it was locked before
    if (locked || this.locked) this.host.emit("lock", [locked, reason]);
    this.locked = locked;
    if (!locked) this.activeAt = this.host.clock.now;
    this.plan();
  }
}
