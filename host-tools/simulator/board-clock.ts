import type { VirtualClock } from "./virtual-clock.ts";

/** The RTC of the nRF52 counts so many ticks a second. */
const TICKS = 32768;

/** A board's own time: it starts at 1970 when the power comes, runs a little too fast or slow, and knows nothing of the true time. */
export class BoardClock {
  /** True time up to which the processor is at work. */
  busyUntil = 0;
  /** True time since which it is, while it is. */
  busySince = 0;
  private poweredAt = 0;
  private lost = 0;
  private offset = 0;

  constructor(
    private readonly clock: VirtualClock,
    readonly ppm: number,
  ) {}

  private get rate(): number {
    return 1 + this.ppm * 1e-6;
  }

  powerOn(): void {
    this.poweredAt = this.busyUntil = this.clock.now;
    this.lost = this.offset = 0;
  }

  /** True time as far as the processor has worked. */
  get trueNow(): number {
    return Math.max(this.clock.now, this.busyUntil);
  }

  get busy(): boolean {
    return this.busyUntil > this.clock.now;
  }

  /** The processor does nothing else for so many seconds. */
  spend(seconds: number): void {
    if (!(seconds > 0)) return;
    if (!this.busy) this.busySince = this.clock.now;
    this.busyUntil = this.trueNow + seconds;
  }

  /** Seconds since power-on, steady over `set`. */
  get uptime(): number {
    return (this.trueNow - this.poweredAt) * this.rate - this.lost;
  }

  /** True time of an uptime. */
  trueAt(uptime: number): number {
    return this.poweredAt + (uptime + this.lost) / this.rate;
  }

  /** What the board takes for Unix seconds; whole ticks. */
  get time(): number {
    return Math.floor((this.offset + this.uptime) * TICKS) / TICKS;
  }

  set time(seconds: number) {
    this.offset = seconds - this.uptime;
  }

  /** The clock stands still for so many seconds of true time. */
  lose(seconds: number): void {
    this.lost += seconds * this.rate;
  }
}
