import type { ExportColumns } from "../../protocols/gaen/key-columns.ts";
import { SETTING_RULES } from "../../protocols/settings.ts";
import { ConfigError } from "../errors.ts";
import { readPublicKey } from "../exposure-keys/signature.ts";
import { combineExports, createTally } from "../matching/diagnosis-keys.ts";
import { type ListedExposure, listExposure, type MatchReport, setListedApart } from "../matching/exposure-list.ts";
import { matchEncounters } from "../matching/matcher.ts";
import { nodeCrypto } from "../node-crypto.ts";
import type { Store } from "../store/store.ts";
import { matchStore, readBytes, readTrustedExport } from "./match.ts";
import { matchStoredOthers } from "./match-others.ts";

// What `tracelet score` and `tracelet report` begin with: published keys in what boards heard, as `tracelet match` finds them.

export interface MatchInput {
  /** Files of published keys. */
  paths: string[];
  /** gaen or dp3t. */
  protocol: string;
  /** Files with public keys. */
  key: string[];
  allowUnsigned?: boolean;
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

/** @throws ToolError of the files; ConfigError where options don't go together */
export async function matchInput(store: Store, { paths, protocol, key, allowUnsigned, board, sightings }: MatchInput): Promise<MatchReport> {
  const ofBoard = (report: MatchReport): MatchReport => {
    const mine = (list: ListedExposure[]) => list.filter((one) => board === undefined || one.board === board);
    return { ...report, exposures: mine(report.exposures), safe: mine(report.safe) };
  };
  if (protocol !== "gaen") {
    if (key.length > 0) throw new ConfigError("no_signature", `--key: files of ${protocol} have no signature that a key could check; leave it out`);
    if (sightings) throw new ConfigError("usage", `--sightings: boards keep single sightings of gaen only, and none of ${protocol}`);
    const files = paths.map((path) => ({ path, bytes: readBytes(path) }));
    return ofBoard(await matchStoredOthers(store, protocol, files));
  }
  const publicKeys = key.map((path) => readPublicKey(Buffer.from(readBytes(path)).toString("utf8"), path));
  const exports = paths.map((path) => readTrustedExport(path, { publicKeys, allowUnsigned: allowUnsigned === true }));
  return ofBoard(await (sightings ? matchSightings(store, exports) : matchStore(store, exports)));
}

/** Looks for the keys of exports in single sightings, where boards or files have them. */
async function matchSightings(store: Store, exports: ExportColumns[]): Promise<MatchReport> {
  const { keys, setApart: keysApart } = combineExports(exports);
  const apart = createTally("encounter");
  const heard = (await store.sightings()).flatMap(({ unix, aem, rpi, board, rssi }) => {
    if (unix !== null && aem !== null) return { rpi, aem, board, firstSeen: unix, lastSeen: unix, maxRssi: rssi, meanRssi: rssi, count: 1 };
    apart.add(unix === null ? "time not known yet" : "sighting without metadata");
    return [];
  });
  const { exposures, setApart, dense } = matchEncounters(nodeCrypto, keys, heard);
  const { counting, safe } = setListedApart(await store.marks(), "gaen", exposures.map(listExposure));
  const tallies = [...keysApart, ...setApart, ...apart.list()];
  return { protocol: "gaen", exposures: counting, safe, keys: keys.count, encounters: heard.length, setApart: tallies, dense };
}
