import type { BoardFacts } from "../../boards/board-facts.ts";
import { connectsForIdentifiers, ROLES } from "../../boards/capabilities.ts";
import { BOARDS } from "../../boards/index.ts";
import { ConfigError } from "../errors.ts";

// What a firmware needs of the interpreter's variables at work, beyond what it has once it is loaded (variables.ts). Each number is measured on the real interpreter, a Puck.js's, and
// rounded up; docs/performance.md has the measurements. A variable is a variable on every board: only how many there are differs.

/** What an interpreter holds without our firmware: 47 with a line to evaluate. What was measured of ours is without it. */
const INTERPRETER = 60;
/** Keys, advertisement, address and timers of who sends: a beacon is estimated at 427 and has 513 in use. */
const SENDING = 86;
/** Tallies of 73 open encounters and the buffers of a scan: a scanner is estimated at 528, and has 890 in use after a day among 50 neighbours. */
const LISTENING = 362;
/** What comes with several protocols: a scanner of four is estimated at 879 and has 1,289 in use, a wearable of GAEN and DP-3T at 852 and 1,303. */
const SEVERAL = 50;
/** A message under way, its fragments, 16 that wait, the receiver's tables, all full: a flood from 40 addresses. */
const COLLECTING = 750;
/** Who was heard without an identifier, 16 peers, and whom it has tried, 64 entries: 72 and 80. What a link takes beside them is less than a crowd, and never comes with it. */
const READING = 155;
/** Services and values of two protocols for whoever connects. */
const OFFERING = 45;
/** Tags of all that was heard, while the hub asks for a proof. */
const PROVING = 168;
/** A token among 20 others: the lists of whom it has met, what it offers, those of a scan; and one exchange. It is estimated at 791 and had 1,772 in use, 2,180 at most, its radio's stand-in included. */
const MEETING = 900;
const EXCHANGE = 440;
/** A phone's packet and its parser, in the middle of an exchange: such a token among 20 phones is estimated at 886 and had 2,351 in use at most, its radio's stand-in included. */
const PACKET = 100;
/** Each guest of a crowd, until its scan ends: 227 of them took 1,128. */
const GUEST = 5;

/**
 * Guests of a scan at most: identifiers beyond the 73 with a place, heard once each while all places are in use. As many as a Puck.js has room for: several protocols leave less, and 227
 * guests of GAEN and DP-3T were out of memory.
 */
export function guestsOf(protocols: string[]): number {
  if (protocols.includes("smartbeacon")) return 100;
  return protocols.some((name) => name !== "gaen") ? 150 : 250;
}

export interface MemoryNeed {
  /** Once it is loaded: `estimateVariables`. */
  loaded: number;
  /** Beyond that, for long. */
  inUse: number;
  /** Beyond that, for moments: the greatest one. They don't come together but by ill will: a crowd, a proof, a flood of messages. */
  moments: number;
  /** The interpreter's own. */
  interpreter: number;
  total: number;
}

/**
 * Variables that a firmware needs when it has most to do: `loaded + 86 who sends + 362 who listens + 50 several protocols + 155 who reads + 45 who offers + the greatest of 5 for each guest, 168 proof, 750 collector + 60
 * of the interpreter`; a token's is its own, and `readsPackets` says whether it reads phones' (capabilities.ts). Within a tenth above what was measured, never below (test/generator/working-memory.test.ts).
 */
export function memoryNeed(loaded: number, role: string, protocols: string[], features: string[], readsPackets = false): MemoryNeed {
  const { advertise, scan, connects } = ROLES[role];
  if (connects) {
    const moments = EXCHANGE + (readsPackets ? PACKET : 0);
    return { loaded, inUse: MEETING, moments, interpreter: INTERPRETER, total: loaded + MEETING + moments + INTERPRETER };
  }
  const collects = scan && protocols.includes("smartbeacon");
  const meets = scan && protocols.some((name) => name !== "smartbeacon");
  const links = connectsForIdentifiers(protocols, features) ? (scan ? READING : 0) + (advertise ? OFFERING : 0) : 0;
  const inUse = (advertise ? SENDING : 0) + (scan ? LISTENING : 0) + (protocols.length > 1 ? SEVERAL : 0) + links;
  const moments = Math.max(meets ? GUEST * guestsOf(protocols) : 0, scan && features.includes("proof") ? PROVING : 0, collects ? COLLECTING : 0);
  return { loaded, inUse, moments, interpreter: INTERPRETER, total: loaded + inUse + moments + INTERPRETER };
}

/** @throws ConfigError `needs_memory` where the board has fewer variables than the firmware needs at work, with what to leave out */
export function checkMemory(facts: BoardFacts, need: MemoryNeed, role: string, protocols: string[], features: string[] = []): void {
  const { count } = facts.variables;
  if (need.total <= count) return;
  const parts = `${need.loaded} loaded, ${need.inUse} in use, ${need.moments} at the worst moment, ${need.interpreter} of the interpreter`;
  throw new ConfigError(
    "needs_memory",
    `The firmware for ${facts.name} needs ${need.total} variables at work (${parts}), and the board has ${count}: ${wayOut(facts, need, role, protocols, features)}`,
  );
}

function wayOut(facts: BoardFacts, need: MemoryNeed, role: string, protocols: string[], features: string[]): string {
  const larger = BOARDS.filter(({ id, variables }) => id !== facts.id && variables.count >= need.total).map(({ name }) => name);
  const { advertise, scan } = ROLES[role];
  const ways = [
    ...(protocols.length > 1 ? [`leave out ${protocols.includes("smartbeacon") ? "smartbeacon, whose messages take most" : "a protocol"}`] : []),
    ...(features.includes("lock") ? ["build it without the lock"] : []),
    ...(features.includes("gatt") ? ["build it without gatt"] : []),
    ...(protocols.length === 1 && advertise && scan ? ["choose a smaller role (beacon, scanner)"] : []),
    ...(larger.length > 0 ? [`take ${larger.join(" or ")}`] : []),
  ];
  return ways.length > 0 ? ways.join(", or ") : "choose another role or protocol";
}
