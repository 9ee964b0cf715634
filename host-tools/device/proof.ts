import { createCipheriv, randomBytes, timingSafeEqual } from "node:crypto";
import { type DeviceStatus, PROOF_ENTRY_BYTES, PROOF_TAG_BYTES } from "../../protocols/device-link.ts";
import { CYCLE_TIME, SCAN_TIME } from "../../protocols/settings.ts";
import type { Board } from "./board.ts";
import { type HostClock, sleep } from "./host-clock.ts";

// Proof of beaconing: is what a board believes to send really on the air? Under a fresh challenge the board makes a tag of the identifier it sends, and whoever listens makes tags of
// all identifiers it has heard; one that is equal proves it. No identifier crosses a link, and as challenges and tags are forgotten at once, none can be linked to another by them.

/** An identifier that was heard, by its tag under a challenge. */
export interface WitnessedTag {
  /** 8 bytes. */
  tag: Uint8Array;
  /** Strongest report, dBm. */
  rssi: number;
  /** Seconds since it was heard last. */
  heardAgo: number;
}

/** Whoever hears advertisements: a board that scans, or a radio of the hub's own. */
export interface AdvertisementWitness {
  readonly name: string;
  /** Tags of every identifier that it has heard lately. `challenge`: 16 bytes, the same array for the same question; not to be kept. */
  heard(challenge: Uint8Array): Promise<WitnessedTag[]>;
}

/** Whoever advertises. */
export interface AdvertisementProver {
  readonly name: string;
  /** Tag of the identifier on the air, 8 bytes; undefined where there is none. */
  sent(challenge: Uint8Array): Promise<Uint8Array | undefined>;
  /** `tag` was heard so many seconds ago. */
  proven(tag: Uint8Array, heardAgo: number): Promise<void>;
}

/** For witnesses that know identifiers themselves: first 8 bytes of AES-128 with the challenge as key. `rpi`: 16 bytes. */
export function tagOf(challenge: Uint8Array, rpi: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-128-ecb", challenge, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(rpi).subarray(0, PROOF_TAG_BYTES));
}

/** Who heard it. */
export interface Testimony {
  witness: string;
  rssi: number;
  heardAgo: number;
}

export interface ProofOf {
  name: string;
  /** Did it send anything, whenever it was asked? */
  onAir: boolean;
  by: Testimony[];
}

export interface ProofOptions {
  clock: HostClock;
  /** Seconds to go on asking. */
  wait: number;
  /** Called before each wait, with the number of pairs that are missing and the seconds that are left. */
  onWait?(missing: number, left: number): void;
}

/** Seconds between two questions. */
const PAUSE = 5;
/** Longest cycle of a board whose battery is low, seconds; see firmware/battery.ts. */
const RARE_SCANS = 900;

/**
 * Asks again and again, each time under a challenge of its own, until every prover was heard by every other witness or the time is over. Each prover is told of its best testimony.
 * Nothing but names, strengths and times is kept.
 */
export async function proveBeaconing(provers: AdvertisementProver[], witnesses: AdvertisementWitness[], options: ProofOptions): Promise<ProofOf[]> {
  const { clock, wait } = options;
  const results = provers.map(({ name }): ProofOf => ({ name, onAir: false, by: [] }));
  const end = clock.now() + wait;
  for (;;) {
    await askAll(provers, witnesses, results);
    const missing = provers.reduce((sum, prover, i) => sum + witnesses.filter((one) => isMissing(prover, one, results[i])).length, 0);
    const left = end - clock.now();
    if (missing === 0 || left <= 0) return results;
    options.onWait?.(missing, left);
    await sleep(clock, Math.min(PAUSE, left) * 1000);
  }
}

function isMissing(prover: AdvertisementProver, witness: AdvertisementWitness, result: ProofOf): boolean {
  return prover.name !== witness.name && !result.by.some((one) => one.witness === witness.name);
}

/** One challenge for all. */
async function askAll(provers: AdvertisementProver[], witnesses: AdvertisementWitness[], results: ProofOf[]): Promise<void> {
  const challenge = randomBytes(16);
  try {
    const heard = await Promise.all(
      witnesses.map(async (one) => ({
        one,
        tags: provers.some((prover, i) => isMissing(prover, one, results[i])) ? await one.heard(challenge) : [],
      })),
    );
    for (const [i, prover] of provers.entries()) {
      const result = results[i];
      if (!witnesses.some((one) => isMissing(prover, one, result))) continue;
      const tag = await prover.sent(challenge);
      if (!tag) continue;
      result.onAir = true;
      let best = Number.POSITIVE_INFINITY;
      for (const { one, tags } of heard) {
        if (!isMissing(prover, one, result)) continue;
        const match = tags.filter((each) => timingSafeEqual(each.tag, tag)).at(0);
        if (!match) continue;
        result.by.push({ witness: one.name, rssi: match.rssi, heardAgo: match.heardAgo });
        best = Math.min(best, match.heardAgo);
      }
      if (best < Number.POSITIVE_INFINITY) await prover.proven(tag, best);
      tag.fill(0);
    }
    for (const { tags } of heard) for (const { tag } of tags) tag.fill(0);
  } finally {
    challenge.fill(0);
  }
}

/** A board as prover and witness. It is asked once for each challenge, whoever wants to know. */
export class BoardBeaconing implements AdvertisementProver, AdvertisementWitness {
  private last: { challenge: Uint8Array; answer: Promise<Uint8Array> } | undefined;

  constructor(
    readonly board: Board,
    readonly name: string,
    /** Does it scan? */
    private readonly listens: boolean,
  ) {}

  async sent(challenge: Uint8Array): Promise<Uint8Array | undefined> {
    const bytes = await this.answer(challenge);
    return bytes[0] === 1 ? bytes.slice(1, 1 + PROOF_TAG_BYTES) : undefined;
  }

  async heard(challenge: Uint8Array): Promise<WitnessedTag[]> {
    const bytes = await this.answer(challenge);
    const tags: WitnessedTag[] = [];
    for (let at = 1 + PROOF_TAG_BYTES; at < bytes.length; at += PROOF_ENTRY_BYTES)
      tags.push({ tag: bytes.slice(at, at + PROOF_TAG_BYTES), rssi: -bytes[at + PROOF_TAG_BYTES], heardAgo: bytes[at + 9] | (bytes[at + 10] << 8) });
    return tags;
  }

  proven(tag: Uint8Array, heardAgo: number): Promise<void> {
    return this.board.proven(tag, heardAgo);
  }

  private answer(challenge: Uint8Array): Promise<Uint8Array> {
    if (this.last?.challenge !== challenge) this.last = { challenge, answer: this.board.tags(challenge, this.listens) };
    return this.last.answer;
  }
}

/** Seconds within which a board that scans has heard what is there: until its next scan is over, and a little. */
export function secondsOfCycle({ c, lb }: DeviceStatus): number {
  const [cycle, scan] = [c[CYCLE_TIME], c[SCAN_TIME]];
  return Math.max(lb ? Math.max(cycle, RARE_SCANS) : cycle, scan) + scan + 2 * PAUSE;
}
