/** What its owner has said of encounters: they never raise the alarm. Null: any. */
export interface Mark {
  board: string;
  protocol: string | null;
  /** The first 5 to 16 bytes. */
  identifier: Uint8Array | null;
  /** Unix seconds, both included. */
  from: number | null;
  to: number | null;
}

/** What may be marked. Times are null where they are not known: then no time holds it. */
export interface Markable {
  board: string | null;
  protocol: string;
  /** 16 bytes; of a dense encounter the first 5. */
  identifier: Uint8Array;
  firstSeen: number | null;
  lastSeen: number | null;
}

/** Is the encounter marked as safe? One that goes beyond a mark's time is not: what is outside may have been somebody else's wall. */
export function isSafe(marks: readonly Mark[], { board, protocol, identifier, firstSeen, lastSeen }: Markable): boolean {
  return marks.some(
    (mark) =>
      mark.board === board &&
      (mark.protocol ?? protocol) === protocol &&
      (mark.identifier === null || beginAlike(mark.identifier, identifier)) &&
      (mark.from === null || (firstSeen !== null && firstSeen >= mark.from)) &&
      (mark.to === null || (lastSeen !== null && lastSeen <= mark.to)),
  );
}

function beginAlike(a: Uint8Array, b: Uint8Array): boolean {
  const length = Math.min(a.length, b.length);
  return Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
}

/** Applied after matching, so that a match stays known (OCT-10): those that count, and those that are marked. */
export function setSafeApart<T>(marks: readonly Mark[], found: readonly T[], markable: (one: T) => Markable): { counting: T[]; safe: T[] } {
  const safe = found.filter((one) => isSafe(marks, markable(one)));
  return { counting: found.filter((one) => !safe.includes(one)), safe };
}
