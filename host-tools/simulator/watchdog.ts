import type { BoardClock } from "./board-clock.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

/**
 * `E.enableWatchdog`. The chip's timer, which a script can't stop or change once it runs: it goes on over `reset()`, `load()` and `E.reboot()`, and ends with the reset it causes or with
 * the power. An automatic one is kicked whenever the main loop comes round, for as long as the interpreter remembers. Source: Espruino after 2v29, jshEnableWatchDog,
 * jsiIdle, JSIS_SOFTINIT_MASK; nRF52832 product specification, WDT and reset behaviour.
 */
export class Watchdog {
  private armed: { seconds: number; automatic: boolean; kickedAt: number; check: Scheduled } | undefined;

  constructor(
    private readonly clock: VirtualClock,
    private readonly board: BoardClock,
    private readonly bite: () => void,
  ) {}

  enable(seconds: number, automatic: boolean): void {
    if (this.armed) this.armed.automatic = automatic;
    else this.armed = { seconds, automatic, kickedAt: this.board.trueNow, check: this.plan(this.board.trueNow + seconds) };
    this.replan();
  }

  kick(): void {
    if (!this.armed) return;
    this.armed.kickedAt = this.board.trueNow;
    this.replan();
  }

  /** The interpreter has started anew and doesn't know that there is something to kick. */
  forgotten(): void {
    if (!this.armed) return;
    if (this.armed.automatic) this.armed.kickedAt = this.idledAt;
    this.armed.automatic = false;
    this.replan();
  }

  stop(): void {
    this.armed?.check.cancel();
    this.armed = undefined;
  }

  /** True time at which it bites unless it is kicked before. */
  get bitesAt(): number {
    if (!this.armed) return Number.POSITIVE_INFINITY;
    const { seconds, automatic, kickedAt } = this.armed;
    return seconds + (automatic ? Math.max(kickedAt, this.idledAt) : kickedAt);
  }

  /** When the main loop last came round. */
  private get idledAt(): number {
    return this.board.busy ? this.board.busySince : this.board.trueNow;
  }

  private replan(): void {
    if (!this.armed) return;
    this.armed.check.cancel();
    this.armed.check = this.plan(this.bitesAt);
  }

  private plan(at: number): Scheduled {
    return this.clock.at(Math.max(at, this.clock.now), () => {
      if (this.clock.now >= this.bitesAt) this.bite();
      else this.replan();
    });
  }
}
