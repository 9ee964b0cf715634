import { type CuckooFilter, decodeFilter, mayHaveHash } from "../../protocols/dp3t/cuckoo-filter.ts";
import { decodeHashList, HASH_BYTES, hasHash } from "../../protocols/dp3t/hash-list.ts";
import { windowEphIds, windowNumber } from "../../protocols/dp3t/hybrid.ts";
import { dayNumber, EPOCH_SECONDS, EPOCHS, ephIds, nextSecretKey } from "../../protocols/dp3t/low-cost.ts";
import type { BlockCipher, Crypto } from "../../protocols/ports.ts";
import { FormatError } from "../errors.ts";
import type { SieveKeys } from "./engine/find.ts";
import { findCandidates } from "./engine/sieve.ts";
import { wantedAround } from "./engine/wanted.ts";
import { createFinder } from "./identifier-finder.ts";

// The three designs of DP-3T, each by its own rule of time (DP-07): an identifier that is repeated at another time than its own doesn't match, and neither does one that is heard after its key is public.

/** An EphID that was heard. */
export interface HeardEphId {
  /** 16 bytes; of a dense encounter the first 5. */
  ephId: Uint8Array;
  /** Unix seconds. */
  heardAt: number;
}

/** Low-cost: SK of the first contagious day, from which those of all later days follow. */
export interface PublishedKey {
  /** 32 bytes. */
  sk: Uint8Array;
  /** Days since 1970. */
  onsetDay: number;
}

/** Hybrid: the seed of a window. */
export interface PublishedWindow {
  /** 16 bytes. */
  seed: Uint8Array;
  /** Windows since 1970. */
  window: number;
  /** 2 to 4 h, a multiple of 15 min. */
  windowSeconds: number;
}

export interface EphIdMatch<O, K> {
  observation: O;
  key: K;
}

/** No key is looked for over more days than identifiers are kept. Source: DP-3T SDK, 21 days. */
export const MOST_DAYS = 21;

const ephIdOf = ({ ephId }: HeardEphId) => ephId;

function checkLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new FormatError("bad_key", `${name}: ${length} bytes, got ${bytes.length}`);
}

/** Keys of which no day counts get none. @throws FormatError for a key of another length than 32 bytes. */
function columnsOf(keys: readonly PublishedKey[], lastDay: number): SieveKeys {
  const columns: SieveKeys = {
    schedule: "dp3t",
    bytes: new Uint8Array(32 * keys.length),
    from: new Uint32Array(keys.length),
    lengths: new Uint32Array(keys.length),
  };
  keys.forEach(({ sk, onsetDay }, i) => {
    checkLength("published key", sk, 32);
    columns.bytes.set(sk, 32 * i);
    if (onsetDay < 0 || onsetDay > lastDay || lastDay - onsetDay > MOST_DAYS) return;
    columns.from[i] = onsetDay;
    columns.lengths[i] = lastDay - onsetDay + 1;
  });
  return columns;
}

/**
 * Low-cost design: the EphIDs of each day from the onset to the release count on that very day only, and before the release, Unix seconds. At most 21 days, the last ones.
 * @throws FormatError for a key of another length than 32 bytes.
 */
export function matchLowCost<O extends HeardEphId, K extends PublishedKey>(
  crypto: Crypto,
  aes256: BlockCipher,
  keys: readonly K[],
  releaseTime: number,
  observations: readonly O[],
): EphIdMatch<O, K>[] {
  const { find, table } = createFinder(crypto, observations, ephIdOf);
  const days = new Set(observations.map(({ heardAt }) => dayNumber(heardAt)));
  const matches: EphIdMatch<O, K>[] = [];
  const lastDay = dayNumber(releaseTime);
  const times = observations.map(({ heardAt }) => ({ firstSeen: heardAt, lastSeen: heardAt }));
  for (const candidate of findCandidates({ keys: columnsOf(keys, lastDay), heard: table, wanted: wantedAround(times, 0) })) {
    const key = keys[candidate];
    let { sk } = key;
    for (let day = key.onsetDay; day <= lastDay; day++, sk = nextSecretKey(crypto, sk)) {
      if (!days.has(day)) continue;
      for (const { entry: observation } of find(ephIds(crypto, aes256, sk, EPOCHS)))
        if (dayNumber(observation.heardAt) === day && observation.heardAt < releaseTime) matches.push({ observation, key });
    }
  }
  return matches;
}

/**
 * Hybrid design: EphIDs count inside their window and before the release, Unix seconds.
 * @throws FormatError for a seed of another length than 16 bytes, and a window that is not 2 to 4 h of whole epochs.
 */
export function matchHybrid<O extends HeardEphId, K extends PublishedWindow>(
  crypto: Crypto,
  aes256: BlockCipher,
  windows: readonly K[],
  releaseTime: number,
  observations: readonly O[],
): EphIdMatch<O, K>[] {
  const { find } = createFinder(crypto, observations, ephIdOf);
  const matches: EphIdMatch<O, K>[] = [];
  for (const key of windows) {
    const { seed, window, windowSeconds } = key;
    checkLength("seed of a window", seed, 16);
    if (windowSeconds < 7200 || windowSeconds > 14400 || windowSeconds % EPOCH_SECONDS !== 0)
      throw new FormatError("bad_window", `window: 7200 to 14400 s, a multiple of ${EPOCH_SECONDS}; got ${windowSeconds}`);
    for (const { entry: observation } of find(windowEphIds(crypto, aes256, seed, windowSeconds / EPOCH_SECONDS)))
      if (windowNumber(observation.heardAt, windowSeconds) === window && observation.heardAt < releaseTime) matches.push({ observation, key });
  }
  return matches;
}

/**
 * Unlinkable design: which of the stored `hashes` (32 bytes each, of `observationHash`, so the epoch is in them) are in a published file, the exact list or the filter.
 * Answers their places, ascending. A filter may name one that was never published: see docs/protocols.md.
 * @throws FormatError for a file that is neither.
 */
export function matchUnlinkable(file: Uint8Array, hashes: readonly Uint8Array[]): number[] {
  const list = decodeHashList(file);
  const filter = list ? undefined : decodeFilter(file);
  if (!list && !filter)
    throw new FormatError("no_hash_list", "published hashes: neither a whole DP3U list nor a whole DP3C filter; fetch the file again");
  return [...hashes.keys()].filter((i) => (list ? hasHash(list, hashes[i]) : mayHaveHash(filter!, hashes[i])));
}

/** The beginning of an observation's hash, as a log keeps it. */
export interface HeardHash {
  /** The first 16 bytes of 32; of a dense encounter the first 5. */
  hash: Uint8Array;
}

/** What a file publishes of the unlinkable design. */
export interface PublishedHashes {
  /** 32 bytes each, of an exact list. */
  hashes: Uint8Array[];
  /** Of a filter, which is asked, and holds none. */
  filter?: CuckooFilter;
}

/** Reads an exact list, or a filter. @throws FormatError `no_hash_list` */
export function publishedHashes(file: Uint8Array): PublishedHashes {
  const list = decodeHashList(file);
  const filter = list ? undefined : decodeFilter(file);
  if (filter) return { hashes: [], filter };
  if (!list) throw new FormatError("no_hash_list", "published hashes: neither a whole DP3U list nor a whole DP3C filter; fetch the file again");
  return { hashes: Array.from({ length: list.length / HASH_BYTES }, (_, i) => list.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)) };
}

/** Unlinkable design, where no more than the beginning of a hash was kept: which observations are among published `hashes`, and the whole hash that says so. */
export function matchHashBeginnings<O extends HeardHash>(
  crypto: Crypto,
  hashes: readonly Uint8Array[],
  observations: readonly O[],
): EphIdMatch<O, Uint8Array>[] {
  const beginnings = new Uint8Array(16 * hashes.length);
  hashes.forEach((hash, i) => {
    beginnings.set(hash.subarray(0, 16), 16 * i);
  });
  const { find } = createFinder(crypto, observations, ({ hash }) => hash);
  return find(beginnings).map(({ entry, number }) => ({ observation: entry, key: hashes[number] }));
}
