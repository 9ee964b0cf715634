import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { decodeSignatures, hasExportHeader } from "../../protocols/gaen/export-file.ts";
import type { ExportColumns } from "../../protocols/gaen/key-columns.ts";
import { ConfigError, FormatError, ToolError } from "../errors.ts";
import { INFLATED_LIMIT, readExportColumns } from "../exposure-keys/export-zip.ts";
import { readPublicKey, type TrustedKey } from "../exposure-keys/signature.ts";
import { looksLikeZip, readZip } from "../exposure-keys/zip.ts";
import { combineExports, createTally } from "../matching/diagnosis-keys.ts";
import { findFast } from "../matching/engine/in-workers.ts";
import type { SieveJob } from "../matching/engine/sieve.ts";
import { type ListedExposure, listExposure, type MatchReport, setListedApart } from "../matching/exposure-list.ts";
import { findCandidatesSince, type LookedFor } from "../matching/looked-for.ts";
import { createSearch } from "../matching/matcher.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { CONTACTS } from "../opencovidtrace/contact-matches.ts";
import { TOLERANCE } from "../opencovidtrace/matching.ts";
import { counted } from "../report/words.ts";
import { Store } from "../store/store.ts";
import { describeContacts, matchStoredContacts } from "./match-contacts.ts";
import { matchStoredOthers } from "./match-others.ts";
import { readState, writeState } from "./match-state.ts";
import { createOutput, type Output, type RegisterCommand } from "./output.ts";
import { asReference, type Receivers, readReceivers, UNCORRECTED } from "./receivers.ts";

export interface Trust {
  publicKeys: KeyObject[];
  /** Take what nobody vouches for: any file where no key is given, a bare export.bin beside keys. */
  allowUnsigned: boolean;
  /** Most bytes that a file may have when it is unpacked. */
  limit?: number;
}
/** Reads and checks an export. @throws FormatError of readExport, with the name of the file; `untrusted`. */
export function readTrustedExport(path: string, trust: Trust): ExportColumns {
  const file = readBytes(path);
  const isBare = !looksLikeZip(file) && hasExportHeader(file);
  const unchecked = trust.allowUnsigned && (trust.publicKeys.length === 0 || isBare);
  if (!unchecked && trust.publicKeys.length === 0) {
    throw new ConfigError(
      "untrusted",
      `${path}: nobody vouches for its keys; name its server's public key with --key, or take it unchecked with --allow-unsigned`,
    );
  }
  try {
    const limit = trust.limit ?? INFLATED_LIMIT;
    return readExportColumns(file, unchecked ? "unverified" : underAnyName(file, trust.publicKeys, limit), limit);
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(error.code, `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * The given keys under each name that the file's signatures bear: whoever names a key on the command line trusts it itself, whatever a server calls it.
 * A file that is no zip or has no such list gets no names, and readExport says what is wrong.
 */
function underAnyName(file: Uint8Array, publicKeys: KeyObject[], limit: number): TrustedKey[] {
  const list = looksLikeZip(file) ? readZip(file, ["export.sig"], limit).get("export.sig") : undefined;
  const signatures = (list && decodeSignatures(list)) ?? [];
  return signatures.flatMap(({ info }) => publicKeys.map((publicKey) => ({ id: info.id, version: info.version, publicKey })));
}

export function readBytes(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new ToolError("unreadable_file", `${path}: can't be read (${(error as Error).message}); check the name`, { cause: error });
  }
}

export interface MatchStoreOptions {
  /** How many of how many keys are done. */
  onProgress?: (done: number, of: number) => void;
  /** How the boards hear. */
  receivers?: Receivers;
  /** What was looked for before, and what to do with what is by now. */
  before?: LookedFor;
  save?: (now: LookedFor, isEnd: boolean) => void;
}

/** Looks for the keys of exports in all that the store knows the time of. */
export async function matchStore(
  store: Store,
  exports: ExportColumns[],
  { onProgress, before, save, receivers = UNCORRECTED }: MatchStoreOptions = {},
): Promise<MatchReport> {
  const combined = combineExports(exports);
  const { keys, setApart: keysApart } = combined;
  const apart = createTally("encounter");
  const encounters = (await store.encounters()).flatMap(({ firstSeen, lastSeen, ...rest }) => {
    if (firstSeen !== null && lastSeen !== null) return asReference({ firstSeen, lastSeen, ...rest }, receivers);
    apart.add("time not known yet");
    return [];
  });
  const search = createSearch(nodeCrypto, encounters);
  const searchFor = (some: readonly (typeof encounters)[number][]) => (some === encounters ? search : createSearch(nodeCrypto, some));
  let done = 0;
  const sieve = async (job: SieveJob) => {
    const candidates = await findFast(job, (now) => onProgress?.(done + now, keys.count));
    done += job.keys.from.length;
    return candidates;
  };
  const candidates =
    before && save ? await findCandidatesSince(before, exports, combined, encounters, searchFor, sieve, save) : await sieve(search.jobFor(keys));
  const { exposures, setApart, dense } = search.conclude(keys, candidates);
  const { counting, safe } = setListedApart(await store.marks(), "gaen", exposures.map(listExposure));
  return {
    protocol: "gaen",
    exposures: counting,
    safe,
    keys: keys.count,
    encounters: encounters.length,
    setApart: [...keysApart, ...setApart, ...apart.list()],
    dense,
  };
}

/** For a person: identifiers and keys by their first digits only (COM-06). */
function describe({ protocol, exposures, safe, keys, encounters, setApart, dense }: MatchReport): string {
  const what = protocol === "dp3t-unlinkable" ? "hash" : "key";
  const line = (one: ListedExposure): string => {
    const time = new Date(one.firstSeen * 1000).toISOString().slice(0, 19).replace("T", " ");
    const whose = `identifier ${one.identifier.slice(0, 4)}…, ${what} ${one.key.slice(0, 4)}…`;
    return `  ${time} UTC, ${one.durationSeconds} s, board ${one.board ?? "-"}, ${whose}, ${signalOf(one)}${one.form === "dense" ? ", dense" : ""}`;
  };
  const lines = [`${counted(exposures.length, "exposure")}: ${counted(keys, what)} looked for in ${counted(encounters, "encounter")}`];
  lines.push(...exposures.map(line));
  if (safe.length > 0) lines.push(`${safe.length} more marked as safe, which don't count:`, ...safe.map(line));
  if (dense.encounters > 0) {
    const expected = dense.expectedFalseMatches.toPrecision(2);
    lines.push(
      `${counted(dense.encounters, "encounter")} dense, known by 40 bits of the identifier: ${expected} false matches to be expected in this run`,
    );
  }
  for (const { what: thing, reason, count } of setApart) lines.push(`${counted(count, thing)} set apart: ${reason}`);
  if (protocol !== "gaen") lines.push("Nobody vouches for files of this protocol: they have no signature");
  return lines.join("\n");
}

/** What a way took. */
function signalOf({ attenuation, txPower, txPowerAssumed, maxRssi, rssiCorrection }: ListedExposure): string {
  const heard = `${maxRssi} dBm heard${rssiCorrection === 0 ? "" : `, ${rssiCorrection} dB of it calibration`}`;
  if (attenuation === null) return `${heard}, transmit power not known`;
  return `${attenuation} dB lost (${txPower} dBm ${txPowerAssumed ? "assumed" : "sent"}, ${heard})`;
}

export function wholeTo(most: number): (text: string) => number {
  return (text) => {
    if (!/^\d+$/.test(text) || Number(text) > most) throw new InvalidArgumentError(`a whole number from 0 to ${most} is expected.`);
    return Number(text);
  };
}

export const MEBIBYTE = 2 ** 20;
/** Beyond it a file isn't read into memory as one piece. */
export const MOST_MEBIBYTES = 1024;

/** What `--calibration` does, wherever published keys are looked for. */
export const CALIBRATION_OPTION = "calibration list: RSSIs are corrected by the models of the boards that heard them (docs/calibration.md)";

export const collect = (value: string, before: string[]) => [...before, value];

const FILES = `
Files of --protocol:
  gaen             export.zip of a diagnosis server, signed
  ct10             JSON, [{"day": days since 1970, "dtk": base64 of a daily tracing key}, …]
  dp3t             exposed list of a DP-3T backend, JSON or Protocol Buffers message
  dp3t-unlinkable  list of published hashes (DP3U), or a filter of them (DP3C)
  opencovidtrace   JSON of a key server, {"keys": [{"value", "day", "meta"}, …]}: looked for in contacts by QR code and in what boards have read

What was marked as safe (tracelet mark) is told apart and doesn't count.

Examples:
  tracelet match export.zip --db tracelet.db --key server-public.pem
  tracelet match exposed.json --db tracelet.db --protocol dp3t`;

/** How often at most what was looked for is written while it goes on, ms. */
const SAVED_EVERY = 5000;

/** Options of matchStore() for a file that remembers what was looked for. */
function stateIn(path: string | undefined, output: Output): Pick<MatchStoreOptions, "before" | "save"> {
  if (path === undefined) return {};
  const { lookedFor, problem } = readState(path);
  if (problem) output.say(`${path}: ${problem}; everything is looked for again`);
  let saved = Date.now();
  return {
    before: lookedFor,
    save(now, isEnd) {
      if (!isEnd && Date.now() - saved < SAVED_EVERY) return;
      writeState(path, now);
      saved = Date.now();
    },
  };
}

interface MatchOptions {
  db: string;
  protocol: string;
  key: string[];
  allowUnsigned?: boolean;
  tolerance: number;
  maxSize: number;
  state?: string;
  calibration?: string;
  json?: boolean;
}

async function matchOthers(paths: string[], { db, protocol, key, tolerance, state, calibration }: MatchOptions, output: Output): Promise<void> {
  if (state !== undefined)
    throw new ConfigError("usage", `--state: only keys of gaen are so many that it is worth it; leave it out with ${protocol}`);
  if (key.length > 0) throw new ConfigError("no_signature", `--key: files of ${protocol} have no signature that a key could check; leave it out`);
  const files = paths.map((path) => ({ path, bytes: readBytes(path) }));
  const store = Store.open(db, { readOnly: true });
  try {
    if (protocol === CONTACTS) {
      const report = await matchStoredContacts(store, files, tolerance, await readReceivers(store, calibration));
      return output.result(report, `${describeContacts(report)}\nRead by boards: ${describe(report.heard)}`);
    }
    const report = await matchStoredOthers(store, protocol, files, await readReceivers(store, calibration));
    output.result(report, describe(report));
  } finally {
    await store.close();
  }
}

export const register: RegisterCommand = (program) => {
  program
    .command("match")
    .description("look for published keys in what boards heard")
    .argument("<file...>", "what was published: of gaen exports of diagnosis servers (zip), of the others see below")
    .requiredOption("--db <file>", "database")
    .option("--protocol <name>", "whose keys: gaen, ct10, dp3t, dp3t-unlinkable or opencovidtrace", "gaen")
    .option(
      "--tolerance <intervals>",
      "of opencovidtrace: contacts so many times 10 minutes around midnight also on the day beside",
      wholeTo(TOLERANCE),
      0,
    )
    .option("--key <file>", "public key of a server, PEM; may be given several times", collect, [])
    .option("--allow-unsigned", "take exports that nobody vouches for")
    .option("--max-size <MiB>", "most that an export of gaen may have when it is unpacked", wholeTo(MOST_MEBIBYTES), INFLATED_LIMIT / MEBIBYTE)
    .option("--calibration <file>", CALIBRATION_OPTION)
    .option("--state <file>", "of gaen: remember in a file what was looked for, and look for what is new only")
    .option("--json", "one JSON document instead of text, with whole keys and identifiers")
    .addHelpText("after", FILES)
    .action(async (paths: string[], options: MatchOptions) => {
      const output = createOutput(options.json === true);
      if (options.protocol !== "gaen") return matchOthers(paths, options, output);
      const publicKeys = options.key.map((path) => readPublicKey(Buffer.from(readBytes(path)).toString("utf8"), path));
      const trust = { publicKeys, allowUnsigned: options.allowUnsigned === true, limit: options.maxSize * MEBIBYTE };
      const exports = paths.map((path) => readTrustedExport(path, trust));
      const store = Store.open(options.db, { readOnly: true });
      let bar: ReturnType<Output["progress"]> | undefined;
      try {
        const onProgress = (done: number, of: number) => {
          bar ??= output.progress("match", of, "keys");
          bar.advance(done);
        };
        const report = await matchStore(store, exports, {
          onProgress,
          receivers: await readReceivers(store, options.calibration),
          ...stateIn(options.state, output),
        });
        bar?.end();
        output.result(report, describe(report));
      } finally {
        await store.close();
      }
    });
};
