import type { ControlEvent } from "./events.ts";

/** An event on its way to the authority's backend. `id` is the same at each attempt, so that one that arrived and was not confirmed counts once. */
export interface QueuedAlert {
  id: string;
  event: ControlEvent;
}

export interface QueueState {
  waiting: QueuedAlert[];
  /** Attempts in a row that failed, and Unix seconds before which there is no other. */
  failures: number;
  nextAt: number;
  /** Number for the next id. */
  next: number;
  /** Events that found the queue full, oldest first to go. */
  dropped: number;
}

/** Seconds before the second attempt; each further wait is twice as long, up to the longest. */
const FIRST_WAIT = 1;
const LONGEST_WAIT = 300;
/** A week of one alert a minute. */
export const MOST_WAITING = 10_080;

/**
 * Events that wait for the authority's backend, in their order; whoever has the network asks for the first, tries, and says how it went (QB-18).
 * One after the other: a recovery must not overtake its violation. `state` is JSON, to be saved after each call, before the network is used.
 */
export class AlertQueue {
  /** `name`: 16 fresh hexadecimal digits for a queue that begins; ids of another queue must not be taken for repetitions of this one's. */
  constructor(
    readonly name: string,
    readonly state: QueueState = { waiting: [], failures: 0, nextAt: 0, next: 0, dropped: 0 },
  ) {}

  add(events: readonly ControlEvent[]): void {
    for (const event of events) this.state.waiting.push({ id: `${this.name}-${this.state.next++}`, event });
    const over = this.state.waiting.length - MOST_WAITING;
    if (over <= 0) return;
    this.state.waiting.splice(0, over);
    this.state.dropped += over;
  }

  /** What to send now; undefined where nothing waits, or the last attempt failed a moment ago. */
  due(now: number): QueuedAlert | undefined {
    return now >= this.state.nextAt ? this.state.waiting[0] : undefined;
  }

  /** The other end has confirmed it. A confirmation of what waits no more is nothing. */
  delivered(id: string): void {
    this.state.failures = 0;
    this.state.nextAt = 0;
    if (this.state.waiting[0]?.id === id) this.state.waiting.shift();
  }

  /** The attempt failed; the next one waits twice as long. */
  failed(now: number): void {
    this.state.nextAt = now + Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.state.failures, 16));
    this.state.failures++;
  }
}
