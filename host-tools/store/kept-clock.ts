import { type ClockTie, isOfHub, MEASURED, plausibleDriftMs } from "./era-time.ts";

// A clock that outlives restarts of the firmware ties several eras together: a contact in a later era tells how far the same clock had drifted in the earlier ones.

/** What is written of a board's clock at one moment: a CLOCK record, or what the hub saw when it looked. */
export interface ClockReading {
  era: number;
  tick: number;
  /** The board's own clock; undefined while it was not set. */
  boardMs: number | undefined;
  why: number;
  roundTripMs: number;
  /** By how much the clock had just been put forward; undefined where nobody knows. */
  stepMs?: number;
  /** The hub's clock at that moment, where it is not the one that was set. */
  hubMs?: number;
}

const SET = 1;
/** The board's clock said `boardMs`; `correctionMs` is missing from it. */
interface Anchor {
  boardMs: number;
  correctionMs: number;
}

/**
 * Ties by era, of one log's readings. The hub's are as they are. The board's own get the correction that hub contacts before and after tell, spread evenly over the time in
 * between, and are kept where no contact in the same era is nearer; an era that no contact ever came to is dated in this way.
 * Where the clock was lost, whoever set it next could not say by how much: no correction is carried over that.
 */
export function tiesByEra(readings: ClockReading[]): Map<number, ClockTie[]> {
  const sorted = [...readings].sort((a, b) => a.era - b.era || a.tick - b.tick);
  const eras = new Map<number, ClockTie[]>();
  const put = (era: number, tie: ClockTie) => eras.set(era, [...(eras.get(era) ?? []), tie]);

  let anchors: Anchor[] = [];
  let own: ClockReading[] = [];
  const endRun = () => {
    for (const { era, tick, boardMs, why, roundTripMs } of own) {
      const { correctionMs, corrected } = correctionAt(anchors, boardMs!);
      put(era, { tick, unixMs: boardMs! + correctionMs, why, roundTripMs, corrected });
    }
    anchors = [];
    own = [];
  };
  for (const reading of sorted) {
    const { era, tick, boardMs, hubMs, why, roundTripMs, stepMs } = reading;
    if (why === MEASURED) {
      put(era, { tick, unixMs: hubMs!, why, roundTripMs });
      if (boardMs !== undefined) anchors.push({ boardMs, correctionMs: hubMs! - boardMs });
    } else if (isOfHub({ tick, unixMs: boardMs!, why, roundTripMs })) {
      if (stepMs !== undefined) anchors.push({ boardMs: boardMs! - stepMs, correctionMs: stepMs });
      endRun();
      put(era, { tick, unixMs: boardMs!, why, roundTripMs });
      anchors.push({ boardMs: boardMs!, correctionMs: 0 });
    } else {
      // another tool has moved it, nobody knows by how much
      if (why === SET) endRun();
      own.push(reading);
    }
  }
  endRun();
  for (const [number, ties] of eras) eras.set(number, outsideOfContacts(ties));
  return eras;
}

/** Where contacts lie on both sides in one era, the board's own clock says nothing more. */
function outsideOfContacts(ties: ClockTie[]): ClockTie[] {
  const contacts = ties.filter(isOfHub).map(({ tick }) => tick);
  if (contacts.length === 0) return ties;
  const [first, last] = [Math.min(...contacts), Math.max(...contacts)];
  return ties.filter((tie) => isOfHub(tie) || (tie.corrected && (tie.tick < first || tie.tick > last)));
}

/** `corrected`: contacts on both sides agree. Else the nearer one's correction is all there is. */
function correctionAt(anchors: Anchor[], boardMs: number): { correctionMs: number; corrected: boolean } {
  const before = anchors.filter((one) => one.boardMs <= boardMs).at(-1);
  const after = anchors.find((one) => one.boardMs > boardMs);
  if (!before || !after) return { correctionMs: (before ?? after)?.correctionMs ?? 0, corrected: false };
  const span = after.boardMs - before.boardMs;
  const difference = after.correctionMs - before.correctionMs;
  const share = (boardMs - before.boardMs) / span;
  if (Math.abs(difference) > plausibleDriftMs(span / 1000)) return { correctionMs: (share < 0.5 ? before : after).correctionMs, corrected: false };
  return { correctionMs: before.correctionMs + difference * share, corrected: true };
}
