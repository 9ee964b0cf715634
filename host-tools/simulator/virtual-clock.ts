/** Something that will happen, and can be taken back until it does. */
export interface Scheduled {
  cancel(): void;
}

class Entry implements Scheduled {
  constructor(
    readonly owner: VirtualClock,
    readonly time: number,
    readonly order: number,
    public run: (() => void) | undefined,
  ) {}
  cancel(): void {
    if (!this.run) return;
    this.run = undefined;
    this.owner.forget();
  }
}

/**
 * The one clock of a simulation: true time as a float of Unix seconds, which jumps from event to event.
 * Events at equal times run in the order in which they were scheduled, so a run is a function of its inputs alone.
 * A binary heap; cancelling is one assignment, the place in the heap is swept up later.
 */
export class VirtualClock {
  private time: number;
  private readonly heap: Entry[] = [];
  private scheduled = 0;
  private cancelled = 0;

  constructor(startUnix: number) {
    if (!Number.isFinite(startUnix)) throw new RangeError(`clock: a finite Unix time, got ${startUnix}`);
    this.time = startUnix;
  }

  /** True time, Unix seconds. */
  get now(): number {
    return this.time;
  }

  /** When the next event is due, Unix seconds; undefined if nothing is planned. */
  get nextAt(): number | undefined {
    this.sweep();
    return this.heap[0]?.time;
  }

  /** Runs `fn` at `time` (Unix seconds); a time that has passed means: next, without going back. */
  at(time: number, fn: () => void): Scheduled {
    if (Number.isNaN(time)) throw new RangeError("clock: the time of an event is not a number");
    const entry = new Entry(this, time > this.time ? time : this.time, this.scheduled++, fn);
    this.heap.push(entry);
    this.rise(this.heap.length - 1);
    return entry;
  }

  /** Runs `fn` in so many seconds. */
  after(seconds: number, fn: () => void): Scheduled {
    return this.at(this.time + seconds, fn);
  }

  /** Moves to the next event and runs it; false if there is none. What the event throws goes to the caller, the clock stays usable. */
  step(): boolean {
    this.sweep();
    const next = this.heap[0];
    if (!next) return false;
    this.removeFirst();
    // An event may have run the clock further itself (a board that blocks); time never goes back.
    if (next.time > this.time) this.time = next.time;
    const run = next.run;
    next.run = undefined;
    run?.();
    return true;
  }

  /** Runs everything up to and including `time` (Unix seconds), then stands there. */
  advanceTo(time: number): void {
    if (Number.isNaN(time)) throw new RangeError("clock: the time to advance to is not a number");
    for (let next = this.nextAt; next !== undefined && next <= time; next = this.nextAt) this.step();
    if (time > this.time && Number.isFinite(time)) this.time = time;
  }

  /**
   * Runs the clock while an asynchronous task waits on it. Host code sleeps on this clock through its own port, so: let it run as far as it
   * can (promises, immediates), then go to the next event, and again. Events of boards that go on for ever keep it going; `limit` (virtual
   * seconds) ends that.
   * @throws if nothing is planned any more, or the limit is reached, and the task has not settled: it waits on something that no virtual event will bring.
   */
  async drive<T>(work: Promise<T>, options: { limit?: number } = {}): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    work.then(done, done);
    const end = this.time + (options.limit ?? Number.POSITIVE_INFINITY);
    let idle = 0;
    for (;;) {
      await turn();
      if (settled) return work;
      const next = this.nextAt;
      if (next === undefined) {
        // Real input and output (a file, a worker) may take some turns of Node's loop before it plans anything.
        idle += 1;
        if (idle > IDLE_TURNS)
          throw new Error(`clock: the task waits, but nothing is planned after ${this.time}; what it waits for is not on this clock`);
        continue;
      }
      idle = 0;
      if (next > end) throw new Error(`clock: the task has not settled after ${options.limit} virtual seconds`);
      this.step();
    }
  }

  /** Counts a cancelled event; rebuilds the heap when most of it is cancelled, so that a timer set and cleared for ever costs no memory. */
  forget(): void {
    this.cancelled += 1;
    if (this.cancelled < 256 || this.cancelled * 2 < this.heap.length) return;
    const alive = this.heap.filter((entry) => entry.run !== undefined);
    alive.sort((a, b) => a.time - b.time || a.order - b.order);
    this.heap.length = 0;
    for (const entry of alive) this.heap.push(entry);
    this.cancelled = 0;
  }

  private sweep(): void {
    while (this.heap.length > 0 && this.heap[0]!.run === undefined) {
      this.removeFirst();
      this.cancelled -= 1;
    }
  }

  private removeFirst(): void {
    const last = this.heap.pop()!;
    if (this.heap.length === 0) return;
    this.heap[0] = last;
    this.sink(0);
  }

  private rise(index: number): void {
    const heap = this.heap;
    const entry = heap[index]!;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(entry, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  private sink(index: number): void {
    const heap = this.heap;
    const entry = heap[index]!;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
      if (!before(heap[child]!, entry)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = entry;
  }
}

/** Turns of Node's event loop that `drive` grants a task when nothing is planned. */
const IDLE_TURNS = 1000;

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
