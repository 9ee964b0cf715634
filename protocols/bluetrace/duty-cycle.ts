// When a device scans, advertises and connects. Sources: opentrace-android (its service's timers), opentrace-ios.

export interface DutyCycle {
  scanMs: number;
  /** Between two scans: at least, and how much more at random. With one radio this is the time for advertising. */
  pauseMs: number;
  pauseRandomMs: number;
  /** One start of advertising, and the gap before the next, each with new characters at its end (BT-10). */
  advertiseMs: number;
  advertiseGapMs: number;
  /** How long a peer that was heard waits for its connection before it is forgotten. */
  queueMs: number;
  connectTimeoutMs: number;
  /** How long a peer is left in peace after a connection, about two cycles, seconds. */
  blacklistSeconds: number;
}

/** Android's figures; about one part central to four peripheral (BT-08). */
export const ANDROID: DutyCycle = {
  scanMs: 8000,
  pauseMs: 36000,
  pauseRandomMs: 7000,
  advertiseMs: 180000,
  advertiseGapMs: 5000,
  queueMs: 7000,
  connectTimeoutMs: 6000,
  blacklistSeconds: 100,
};

/** How long to pause after a scan, in ms. `random`: 0 to 255, a byte of the random source. Different for everybody, so that two devices don't scan in step and never hear each other. */
export function pauseAfterScan(duty: DutyCycle, random: number): number {
  return duty.pauseMs + Math.round((duty.pauseRandomMs * random) / 255);
}

/** A peer that was heard and could be connected to. */
export interface Candidate {
  address: string;
  rssi: number;
  /** Of the last packet, ms of any clock that is never put back. */
  heardAt: number;
}

/** Which of the queue is next: the strongest of those heard within `queueMs`; -1 if there is none. */
export function nextPeer(queue: Candidate[], queueMs: number, now: number): number {
  let next = -1;
  for (let i = 0; i < queue.length; i++) if (now - queue[i].heardAt <= queueMs && (next < 0 || queue[i].rssi > queue[next].rssi)) next = i;
  return next;
}
