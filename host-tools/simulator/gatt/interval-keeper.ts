import type { Scheduled, VirtualClock } from "../virtual-clock.ts";

/** Interval that Espruino's peripheral wants while something happens, and while nothing does, ms: BLE_DYNAMIC_INTERVAL_HIGH_RATE and _LOW_RATE. */
const FAST_MS = 7.5;
const SLOW_MS = 200;
/** After so many seconds without anything it asks for the slow one: BLE_DYNAMIC_INTERVAL_IDLE_TIME. */
const IDLE = 30;
/** BLE_DYNAMIC_INTERVAL_COUNTDOWN, BLE_DYNAMIC_INTERVAL_HIGH_TIME; seconds. */
const COUNTDOWN = 10;
const RECENT = 0.5;
/** FIRST_CONN_PARAMS_UPDATE_DELAY, NEXT_CONN_PARAMS_UPDATE_DELAY, seconds; MAX_CONN_PARAMS_UPDATE_COUNT. */
const FIRST_DELAY = 0.1;
const NEXT_DELAY = 10;
const ATTEMPTS = 3;

/**
 * Which interval a board that is a peripheral asks for, and when: 7.5 ms a tenth of a second after the link is there, 200 ms after half a minute of idleness, 7.5 ms
 * again when there is more to do. Source: Espruino after 2v29, targets/nrf5x/bluetooth.c, jsble_peripheral_activity and SWI1_IRQHandler.
 */
export class IntervalKeeper {
  private wanted = FAST_MS;
  private fast = true;
  /** When the idle counter would have been at zero, Unix seconds. */
  private idleSince: number;
  private left = ATTEMPTS;
  private asking: Scheduled | undefined;
  private idling: Scheduled | undefined;

  constructor(
    private readonly clock: VirtualClock,
    /** The interval of the link, and how to ask for another. */
    private readonly link: { intervalMs(): number; ask(ms: number): void },
    /** `NRF.setConnectionInterval` has chosen one: nothing changes by itself. */
    private fixedMs: number | undefined,
  ) {
    this.idleSince = clock.now;
    if (fixedMs !== undefined) this.wanted = fixedMs;
    this.asking = clock.after(FIRST_DELAY, () => this.ask());
    this.planIdle();
  }

  /** Undefined: automatic. */
  fix(ms: number | undefined): void {
    this.fixedMs = ms;
    this.want(ms ?? FAST_MS);
    this.planIdle();
  }

  /** The link has been used. */
  activity(): void {
    const idle = this.clock.now - this.idleSince;
    if (this.fixedMs === undefined && idle < RECENT && !this.fast) {
      this.fast = true;
      this.want(FAST_MS);
    }
    // The counter stops counting where it calls the link idle.
    this.idleSince = this.clock.now - Math.max(0, Math.min(idle, IDLE) - COUNTDOWN);
    this.planIdle();
  }

  stop(): void {
    this.asking?.cancel();
    this.idling?.cancel();
  }

  private want(ms: number): void {
    this.wanted = ms;
    this.left = ATTEMPTS;
    this.ask();
  }

  private ask(): void {
    this.asking?.cancel();
    if (this.link.intervalMs() === this.wanted || this.left === 0) return;
    this.left -= 1;
    this.link.ask(this.wanted);
    this.asking = this.clock.after(NEXT_DELAY, () => this.ask());
  }

  private planIdle(): void {
    this.idling?.cancel();
    if (this.fixedMs !== undefined || !this.fast) return;
    this.idling = this.clock.at(this.idleSince + IDLE, () => {
      this.fast = false;
      this.want(SLOW_MS);
    });
  }
}
