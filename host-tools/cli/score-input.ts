import { type Command, InvalidArgumentError } from "commander";
import type { ExportColumns } from "../../protocols/gaen/key-columns.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { ConfigError } from "../errors.ts";
import { INFLATED_LIMIT } from "../exposure-keys/export-zip.ts";
import { readPublicKey } from "../exposure-keys/signature.ts";
import { combineExports, createTally } from "../matching/diagnosis-keys.ts";
import { type ListedExposure, listExposure, type MatchReport, setListedApart } from "../matching/exposure-list.ts";
import { matchEncounters } from "../matching/matcher.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { CONTACTS } from "../opencovidtrace/contact-matches.ts";
import type { Store } from "../store/store.ts";
import { CALIBRATION_OPTION, collect, MEBIBYTE, MOST_MEBIBYTES, matchStore, readBytes, readTrustedExport, wholeTo } from "./match.ts";
import { matchStoredContacts } from "./match-contacts.ts";
import { matchStoredOthers } from "./match-others.ts";
import { asReference, type Receivers, readReceivers } from "./receivers.ts";

// What `tracelet score` and `tracelet report` begin with: published keys in what boards heard, as `tracelet match` finds them.

export interface MatchInput {
  /** Files of published keys. */
  paths: string[];
  /** A name of `tracelet match --protocol`. */
  protocol: string;
  /** Files with public keys. */
  key: string[];
  allowUnsigned?: boolean;
  /** Most MiB that an export may have when it is unpacked. */
  maxSize: number;
  /** File with a calibration list. */
  calibration?: string;
  /** Only what this board heard: its id. */
  board?: string;
  /** Single sightings in place of encounters. */
  sightings?: boolean;
}

/** How often boards scan where neither their log nor the user says: as they are shipped. */
const USUAL_CYCLE = SETTING_RULES.cycleTime.initial;

/** Seconds from one of a board's scans to the next: `told` by the user, else as its log says. */
export async function cycleOfBoards(store: Store, told?: number): Promise<(board: string | null) => number> {
  const known = await store.cycleTimes();
  return (board) => told ?? known.get(board ?? "") ?? USUAL_CYCLE;
}

function cycleSeconds(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 4 || Number(text) > 3600) throw new InvalidArgumentError("seconds from 4 to 3600 are expected.");
  return Number(text);
}

/** The options that say what is looked for in what, and `--cycle`. */
export function withMatchInput(command: Command): Command {
  return command
    .argument("<file...>", "what was published, as `tracelet match` takes it")
    .requiredOption("--db <file>", "database")
    .option("--board <id>", "only what this board heard: id or name")
    .option("--cycle <seconds>", "from one scan of a board to the next, in place of what its log says", cycleSeconds)
    .option("--sightings", "from single sightings, of boards with the raw log on or imported, in place of encounters")
    .option("--key <file>", "public key of a server, PEM; may be given several times", collect, [])
    .option("--calibration <file>", CALIBRATION_OPTION)
    .option("--allow-unsigned", "take exports that nobody vouches for")
    .option("--max-size <MiB>", "most that an export of gaen may have when it is unpacked", wholeTo(MOST_MEBIBYTES), INFLATED_LIMIT / MEBIBYTE);
}

/** @throws ToolError of the files; ConfigError where options don't go together */
export async function matchInput(
  store: Store,
  { paths, protocol, key, allowUnsigned, maxSize, calibration, board, sightings }: MatchInput,
): Promise<MatchReport> {
  const ofBoard = (report: MatchReport): MatchReport => {
    const mine = (list: ListedExposure[]) => list.filter((one) => board === undefined || one.board === board);
    return { ...report, exposures: mine(report.exposures), safe: mine(report.safe) };
  };
  const receivers = await readReceivers(store, calibration);
  if (protocol !== "gaen") {
    if (key.length > 0) throw new ConfigError("no_signature", `--key: files of ${protocol} have no signature that a key could check; leave it out`);
    if (sightings) throw new ConfigError("usage", `--sightings: boards keep single sightings of gaen only, and none of ${protocol}`);
    const files = paths.map((path) => ({ path, bytes: readBytes(path) }));
    // of a contact by QR code there are no minutes: only what boards have heard
    if (protocol === CONTACTS) return ofBoard((await matchStoredContacts(store, files, 0, receivers)).heard);
    return ofBoard(await matchStoredOthers(store, protocol, files, receivers));
  }
  const publicKeys = key.map((path) => readPublicKey(Buffer.from(readBytes(path)).toString("utf8"), path));
  const trust = { publicKeys, allowUnsigned: allowUnsigned === true, limit: maxSize * MEBIBYTE };
  const exports = paths.map((path) => readTrustedExport(path, trust));
  return ofBoard(await (sightings ? matchSightings(store, exports, receivers) : matchStore(store, exports, { receivers })));
}

/** Looks for the keys of exports in single sightings, where boards or files have them. */
async function matchSightings(store: Store, exports: ExportColumns[], receivers: Receivers): Promise<MatchReport> {
  const { keys, setApart: keysApart } = combineExports(exports);
  const apart = createTally("encounter");
  const heard = (await store.sightings()).flatMap(({ unix, aem, rpi, board, rssi }) => {
    if (unix !== null && aem !== null)
      return asReference({ rpi, aem, board, firstSeen: unix, lastSeen: unix, maxRssi: rssi, meanRssi: rssi, count: 1 }, receivers);
    apart.add(unix === null ? "time not known yet" : "sighting without metadata");
    return [];
  });
  const { exposures, setApart, dense } = matchEncounters(nodeCrypto, keys, heard);
  const { counting, safe } = setListedApart(await store.marks(), "gaen", exposures.map(listExposure));
  const tallies = [...keysApart, ...setApart, ...apart.list()];
  return { protocol: "gaen", exposures: counting, safe, keys: keys.count, encounters: heard.length, setApart: tallies, dense };
}
