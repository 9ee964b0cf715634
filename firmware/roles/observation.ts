import { epochNumber, observationHash } from "../../protocols/dp3t/unlinkable.ts";
import { unixTime } from "../board-clock.ts";
import { boardCrypto } from "../crypto/board.ts";

/** What DP-3T's unlinkable design keeps of an EphID, heard now: its hash; `undefined` without a clock, for it can't be made then (DP-05). */
export function observedNow(heard: Uint8Array): Uint8Array | undefined {
  const unix = unixTime();
  return unix ? observationHash(boardCrypto, heard, epochNumber(unix)) : undefined;
}
