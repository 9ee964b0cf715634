import type { Advertising, AirTime, Scanning, Station } from "./air.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

/**
 * The radio hardware under the stack. What the script asks for happens when the processor has got there (the virtual clock stands still while a script runs)
 * and the SoftDevice is not down for a restart; in the same order and without skipping anything: a payload that was set for a moment only is on the air for
 * its first event.
 */
export class FrontEnd {
  private upAt = Number.NEGATIVE_INFINITY;
  private readonly waiting = new Set<Scheduled>();
  /** What was last asked for. */
  advertising: Advertising | undefined;

  constructor(
    private readonly clock: VirtualClock,
    readonly station: Station,
    /** How far the processor has worked, Unix seconds. */
    private readonly processorTime: () => number,
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
    this.upAt = this.earliest + seconds;
  }

  /** No supply. */
  off(): void {
    for (const action of this.waiting) action.cancel();
    this.waiting.clear();
    this.advertising = undefined;
    this.station.advertise(undefined);
    this.station.scan(undefined);
  }

  get airTime(): AirTime {
    return this.station.airTime;
  }

  private get earliest(): number {
    return Math.max(this.upAt, this.processorTime(), this.clock.now);
  }

  private whenUp(action: () => void): void {
    const at = this.earliest;
    if (this.waiting.size === 0 && at === this.clock.now) {
      action();
      return;
    }
    const scheduled = this.clock.at(at, () => {
      this.waiting.delete(scheduled);
      action();
    });
    this.waiting.add(scheduled);
  }
}
