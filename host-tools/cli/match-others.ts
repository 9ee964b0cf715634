import { z } from "zod";
import { decodeBase64 } from "../../protocols/base64.ts";
import { decodeExposedList, exposedListFromJson } from "../../protocols/dp3t/exposed-list.ts";
import { ConfigError, FormatError } from "../errors.ts";
import type { PublishedDailyKey } from "../matching/contact-tracing-v1.ts";
import { createTally } from "../matching/diagnosis-keys.ts";
import { type PublishedHashes, publishedHashes } from "../matching/dp3t.ts";
import { listOthers, type MatchReport, setListedApart } from "../matching/exposure-list.ts";
import { type HeardOthers, type LowCostList, matchDp3t, matchDp3tUnlinkable, matchV1, type OthersMatches } from "../matching/others.ts";
import { aesEncrypt, nodeCrypto } from "../node-crypto.ts";
import type { Store } from "../store/store.ts";
import { asReference, UNCORRECTED } from "./receivers.ts";

// `tracelet match --protocol` for what is not GAEN's.

const DAY = 86400;

/** A file of published keys, with its name. */
export interface KeyFile {
  path: string;
  bytes: Uint8Array;
}

const text = (file: KeyFile) => Buffer.from(file.bytes).toString("utf8");

const dailyKeys = z.array(z.object({ day: z.int().min(0).max(49_710), dtk: z.string() }));
const DAILY_KEYS = 'a JSON list of {"day": days since 1970, "dtk": base64 of 16 bytes}, or a file of `tracelet keys pull` that has one under "ct10"';

/** Daily tracing keys of v1.0. @throws FormatError "bad_keys", with the number of the entry and none of its bytes */
export function readDailyKeys(file: KeyFile): PublishedDailyKey[] {
  let json: unknown;
  try {
    json = JSON.parse(text(file));
  } catch {
    // what the parser says may quote a key
    throw new FormatError("bad_keys", `${file.path}: no JSON; expected: ${DAILY_KEYS}`);
  }
  if (typeof json === "object" && json !== null && "ct10" in json) json = json.ct10;
  const parsed = dailyKeys.safeParse(json);
  if (!parsed.success) throw badEntry(file, parsed.error.issues[0].path[0]);
  return parsed.data.map(({ day, dtk }, i) => {
    const dailyKey = decodeBase64(dtk);
    if (dailyKey?.length !== 16) throw badEntry(file, i);
    return { day, dailyKey };
  });
}

function badEntry(file: KeyFile, at: PropertyKey | undefined): FormatError {
  return new FormatError(
    "bad_keys",
    `${file.path}: ${typeof at === "number" ? `entry ${at + 1} is no daily key` : "no list of daily keys"}; expected: ${DAILY_KEYS}`,
  );
}

/** An exposed list of DP-3T, as JSON or as a Protocol Buffers message. @throws FormatError "bad_keys" */
export function readExposedList(file: KeyFile): LowCostList {
  const list = /^\s*\{/.test(text({ ...file, bytes: file.bytes.subarray(0, 64) })) ? exposedListFromJson(text(file)) : decodeExposedList(file.bytes);
  if (!list) {
    const expected = "JSON or a Protocol Buffers message, a release time on the full two hours, keys of 32 bytes with the midnight of their day";
    throw new FormatError("bad_keys", `${file.path}: no exposed list of DP-3T (${expected}); fetch it again`);
  }
  return { releaseTime: list.batchReleaseMs / 1000, keys: list.exposed.map(({ key, keyDateMs }) => ({ sk: key, onsetDay: keyDateMs / 1000 / DAY })) };
}

/** Names the file in what went wrong with it. */
function hashesOf(file: KeyFile): PublishedHashes {
  try {
    return publishedHashes(file.bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(error.code, `${file.path}: ${error.message}`, { cause: error });
  }
}

/** Reads the files of a protocol. Answers how many keys there are, and what looks for them. */
function readPublished(protocol: string, files: KeyFile[]): { keys: number; match<E extends HeardOthers>(encounters: E[]): OthersMatches<E> } {
  if (protocol === "ct10") {
    const keys = files.flatMap(readDailyKeys);
    return { keys: keys.length, match: (encounters) => matchV1(nodeCrypto, keys, encounters) };
  }
  if (protocol === "dp3t") {
    const lists = files.map(readExposedList);
    const count = lists.reduce((sum, { keys }) => sum + keys.length, 0);
    return { keys: count, match: (encounters) => matchDp3t(nodeCrypto, aesEncrypt, lists, encounters) };
  }
  if (protocol === "dp3t-unlinkable") {
    const published = files.map(hashesOf);
    const count = published.reduce((sum, { hashes, filter }) => sum + (filter?.count ?? hashes.length), 0);
    return { keys: count, match: (encounters) => matchDp3tUnlinkable(nodeCrypto, published, encounters) };
  }
  throw new ConfigError(
    "unknown_protocol",
    `nothing can be looked for of a protocol called "${protocol}"; known: gaen, dp3t, dp3t-unlinkable, ct10, opencovidtrace`,
  );
}

/** Encounters of a protocol whose time is known; the others go to `apart`. */
export async function encountersInTime(store: Store, protocol: string, apart: ReturnType<typeof createTally>, receivers = UNCORRECTED) {
  return (await store.encountersOf(protocol)).flatMap(({ firstSeen, lastSeen, ...rest }) => {
    if (firstSeen !== null && lastSeen !== null) return asReference({ firstSeen, lastSeen, ...rest }, receivers);
    apart.add("time not known yet");
    return [];
  });
}

/** Looks for what was published of a protocol in all that the store knows the time of. */
export async function matchStoredOthers(store: Store, protocol: string, files: KeyFile[], receivers = UNCORRECTED): Promise<MatchReport> {
  const published = readPublished(protocol, files);
  const apart = createTally("encounter");
  const encounters = await encountersInTime(store, protocol, apart, receivers);
  const { exposures, setApart, dense } = published.match(encounters);
  const { counting, safe } = setListedApart(await store.marks(), protocol, exposures.map(listOthers));
  return {
    protocol,
    exposures: counting,
    safe,
    keys: published.keys,
    encounters: encounters.length,
    setApart: [...setApart, ...apart.list()],
    dense,
  };
}
