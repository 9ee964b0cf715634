import type { Advertising, AirTime, Scanning, Station } from "./air.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

/**
 * The radio hardware under the stack. While the SoftDevice is down (a restart), what the script asks for next happens when it is up again, in the same order
 * and without skipping what was asked for in between: a payload that was set for a moment only is on the air for its first event.
 */
export class FrontEnd {
  private upAt = Number.NEGATIVE_INFINITY;
  private readonly waiting = new Set<Scheduled>();
  /** What was last asked for. */
  advertising: Advertising | undefined;

  constructor(
    private readonly clock: VirtualClock,
    readonly station: Station,
  ) {}

  advertise(advertising: Advertising | undefined): void {
    if (!advertising && !this.advertising) return;
    this.advertising = advertising;
    this.whenUp(() => this.station.advertise(advertising));
  }

  amend(changes: Partial<Omit<Advertising, "intervalMs">>): void {
    if (!this.advertising) return;
    this.advertising = { ...this.advertising, ...changes };
    this.whenUp(() => this.station.amend(changes));
  }

  scan(scanning: Scanning | undefined): void {
    this.whenUp(() => this.station.scan(scanning));
  }

  /** Everything stops, and nothing starts for so many seconds. */
  goDown(seconds: number): void {
    this.advertise(undefined);
    this.scan(undefined);
    this.upAt = Math.max(this.upAt, this.clock.now) + seconds;
  }

  /** No supply. */
  off(): void {
    for (const action of this.waiting) action.cancel();
    this.waiting.clear();
    this.upAt = Number.NEGATIVE_INFINITY;
    this.advertise(undefined);
    this.scan(undefined);
  }

  get airTime(): AirTime {
    return this.station.airTime;
  }

  private whenUp(action: () => void): void {
    if (this.waiting.size === 0 && this.clock.now >= this.upAt) {
      action();
      return;
    }
    const scheduled = this.clock.at(this.upAt, () => {
      this.waiting.delete(scheduled);
      action();
    });
    this.waiting.add(scheduled);
  }
}
