import type { BoardClock } from "./board-clock.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

/** `E.enableWatchdog`: once on it can't be stopped but by a restart. An automatic one is kicked whenever the main loop idles. */
export class Watchdog {
  private armed: { seconds: number; automatic: boolean; bite: Scheduled } | undefined;

  constructor(
    private readonly clock: VirtualClock,
    private readonly board: BoardClock,
    private readonly bite: () => void,
  ) {}

  enable(seconds: number, automatic: boolean): void {
    if (!this.armed) this.armed = { seconds, automatic, bite: this.arm(seconds) };
  }

  kick(): void {
    if (!this.armed) return;
    this.armed.bite.cancel();
    this.armed.bite = this.arm(this.armed.seconds);
  }

  stop(): void {
    this.armed?.bite.cancel();
    this.armed = undefined;
  }

  private arm(seconds: number): Scheduled {
    return this.clock.at(this.board.trueNow + seconds, () => {
      if (this.armed?.automatic && !this.board.busy) this.kick();
      else this.bite();
    });
  }
}
