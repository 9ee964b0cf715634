import type { BoardClock } from "./board-clock.ts";
import { InputQueue } from "./input-queue.ts";
import type { Timers } from "./timers.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

const QUEUE_BYTES = 1024;
/** Fractions of the input queue at which XOFF and XON are sent. Source: scripts/build_platform_config.py, for the nRF52. */
const XOFF_ABOVE = (QUEUE_BYTES - 1) * (3 / 8);
const XON_BELOW = (QUEUE_BYTES - 1) * (2 / 8);

export interface LoopHost {
  readonly clock: VirtualClock;
  readonly time: BoardClock;
  readonly powered: boolean;
  /** Runs a piece of the loop; aborts and power cuts end in here. */
  guard(work: () => void): void;
  /** Bytes of a port: for the console, or for the script. */
  receive(port: string, bytes: number[]): void;
  /** May the host go on sending? */
  hostMay(send: boolean): void;
  overflow(): void;
  /** Runs something of the queue, and reports what it throws. */
  run(work: () => void): void;
  /** Does `endOfTurn` have something to do? */
  pending(): boolean;
  /** Restarts, errors, the prompt. True if it did more than that. */
  endOfTurn(): boolean;
}

/** The one thread of a board: what came in, timers, what was queued, and again. It wakes at events of the virtual clock and stands still while the processor is busy. */
export class MainLoop {
  readonly queue: InputQueue;
  private todo: (() => void)[] = [];
  private wake: Scheduled | undefined;
  private running = false;
  /** Events of this round that wait: those that had come when it began. Later ones let timers go first, or a flood would starve them. Source: src/jsinteractive.c, jsiIdle. */
  private left: number | undefined;

  constructor(
    private readonly host: LoopHost,
    private readonly timers: Timers,
    /** Longest event of the input queue. */
    eventBytes: number,
  ) {
    this.queue = new InputQueue(QUEUE_BYTES, eventBytes, () => host.overflow());
  }

  clear(): void {
    this.todo = [];
    this.left = undefined;
    this.queue.clear();
  }

  stop(): void {
    this.wake?.cancel();
    this.wake = undefined;
  }

  /** Runs `work` in the main loop, after the timers that are due and before the next ones. */
  enqueue(work: () => void): void {
    this.todo.push(work);
    this.plan();
  }

  /** A report of `cost` bytes in the input queue; false when it was dropped. */
  pushCall(cost: number, run: () => void): boolean {
    const queued = this.queue.pushCall(cost, run);
    this.plan();
    return queued;
  }

  pushSerial(port: string, bytes: Uint8Array): void {
    this.queue.pushSerial(port, bytes);
    if (this.queue.used > XOFF_ABOVE) this.host.hostMay(false);
    this.plan();
  }

  /** Does something that belongs to the loop but isn't called by it, such as starting the interpreter. */
  hold(work: () => void): void {
    const outer = this.running;
    this.running = true;
    this.host.guard(work);
    this.running = outer;
    this.plan();
  }

  /** Plans the next time to wake, now that something has changed. */
  plan(): void {
    const { host } = this;
    if (!host.powered || this.running) return;
    const due = this.timers.nextDue;
    let at = this.queue.length > 0 || this.todo.length > 0 || host.pending() ? host.clock.now : Number.POSITIVE_INFINITY;
    if (due !== undefined) at = Math.min(at, host.time.trueAt(due));
    this.stop();
    if (Number.isFinite(at)) this.wake = host.clock.at(Math.max(at, host.time.trueNow), () => this.loop());
  }

  private get free(): boolean {
    return this.host.powered && !this.host.time.busy;
  }

  private loop(): void {
    this.wake = undefined;
    this.running = true;
    for (let worked = true; worked && this.free; ) {
      worked = false;
      this.host.guard(() => {
        worked = this.turn();
      });
    }
    this.running = false;
    this.plan();
  }

  /** Once round. Stops early when the processor has got something to do; true if there may be more. */
  private turn(): boolean {
    const { host, queue } = this;
    let worked = false;
    for (this.left ??= queue.length; this.left > 0; this.left--) {
      if (!this.free) return true;
      const event = queue.shift();
      if (!event) break;
      worked = true;
      if (event.kind === "call") event.run();
      else host.receive(event.port, event.bytes);
    }
    if (queue.used < XON_BELOW) host.hostMay(true);
    this.left = 0;
    if (!this.free) return true;
    this.left = undefined;
    if (this.timers.pass(host.time.uptime, () => this.free)) worked = true;
    while (this.todo.length > 0 && this.free) {
      worked = true;
      host.run(this.todo.shift()!);
    }
    if (!this.free) return true;
    return host.endOfTurn() || worked;
  }
}
