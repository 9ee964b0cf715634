/**
 * The time by which a link waits and measures. Everything in this folder goes through it, so that a link to a virtual board runs in virtual time
 * and a test never sleeps.
 */
export interface HostClock {
  /** Unix seconds, as a float. */
  now(): number;
  /** Calls `run` in `ms` milliseconds; answers how to take that back. */
  setTimeout(run: () => void, ms: number): () => void;
}

export const systemClock: HostClock = {
  now: () => Date.now() / 1000,
  setTimeout(run, ms) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** What is needed of a virtual clock; the simulator's fits. `now` and `time` are Unix seconds. */
export interface SimulatedClock {
  readonly now: number;
  at(time: number, run: () => void): { cancel(): void };
}

export function hostClockOn(clock: SimulatedClock): HostClock {
  return {
    now: () => clock.now,
    setTimeout(run, ms) {
      const scheduled = clock.at(clock.now + ms / 1000, run);
      return () => scheduled.cancel();
    },
  };
}

export function sleep(clock: HostClock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms);
  });
}
