import type { BoardFacts } from "../../boards/board-facts.ts";
import { featureRefusal, PROTOCOLS, ROLES, refusal } from "../../boards/capabilities.ts";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { checkIdentity } from "../bluetrace/batch-file.ts";
import { type CsvRow, parseCsv } from "../csv.ts";
import { parseChange } from "../device/config.ts";
import { CARRIERS } from "../device/smartbeacon.ts";
import { parseTcpName } from "../device/tcp.ts";
import { ConfigError, ToolError } from "../errors.ts";
import { chooseSettings } from "../generator/settings.ts";
import { nameProblem } from "../label/label.ts";
import { protocolMask, transmitProblem } from "../protocol-masks.ts";

/** One board of a plan. */
export interface PlanRow {
  /** Line of the plan's file. */
  line: number;
  name: string;
  /** Path of a serial port, `tcp://host:port`, or `*`: any port. */
  port: string;
  board: BoardFacts;
  role: string;
  protocols: string[];
  /** All settings by name: those of the plan, the rest as usual. */
  settings: Record<string, number>;
  /** As the plan has them, for a person. */
  settingsText: string;
  lock: boolean;
  /** Of a SmartBeacon, and of it alone. */
  beacon?: BeaconPlan;
  /** Of a token whose TempIDs the plan brings, and of it alone. */
  token?: TokenPlan;
  note: string;
}

/** What a token is to say. */
export interface TokenPlan {
  /** The health authority's batch, as the plan has it: beside the plan where it is no whole path. */
  file: string;
  /** The authority's name (HAI) and what the board calls itself. */
  org: string;
  model: string;
}

/** What a SmartBeacon is to send, and with which key. */
export interface BeaconPlan {
  /** Its key file, as the plan has it: beside the plan where it is no whole path. Undefined: a fresh key is made. */
  file: string | undefined;
  /** A name of CARRIERS. */
  carrier: string;
  /** Minutes that local time is ahead of UTC. */
  utcOffset: number;
}

export const ANY_PORT = "*";
const COLUMNS = [
  "name",
  "port",
  "board",
  "role",
  "protocols",
  "settings",
  "lock",
  "beacon",
  "carrier",
  "utcOffset",
  "tempIds",
  "hai",
  "model",
  "note",
] as const;
const NEEDED = ["name", "board", "role"];
type Column = (typeof COLUMNS)[number];
/** Columns of a SmartBeacon. */
const BEACON_COLUMNS: Column[] = ["beacon", "carrier", "utcOffset"];
/** Columns of a token. */
const TOKEN_COLUMNS: Column[] = ["tempIds", "hai", "model"];

/**
 * Reads a plan: a table with one row a board. Columns in any order; `port` is `*`, `protocols` what the role is for, `lock` is no, a SmartBeacon's key
 * a fresh one and its carrier token where they are left out.
 * @throws ConfigError "bad_plan" with every problem there is, by line and column
 */
export function parsePlan(text: string, file: string): PlanRow[] {
  const [header, ...rows] = parseCsv(text, file);
  if (!header) throw new ConfigError("bad_plan", `${file}: empty; the first line names the columns: ${COLUMNS.join(",")}`);
  const problems: string[] = [];
  const columns = readHeader(header, problems);
  const plan = problems.length > 0 ? [] : rows.map((row) => readRow(row, columns, problems));
  if (problems.length === 0 && rows.length === 0) problems.push(`line ${header.line}: no board follows the names of the columns`);
  findDoubles(plan, problems);
  if (problems.length > 0) {
    const count = problems.length === 1 ? "a problem" : `${problems.length} problems`;
    throw new ConfigError("bad_plan", `${file}: ${count}; no board was touched\n  ${problems.join("\n  ")}`);
  }
  return plan;
}

function readHeader(header: CsvRow, problems: string[]): string[] {
  const names = header.cells.map((cell) => COLUMNS.find((column) => column.toLowerCase() === cell.toLowerCase()) ?? cell.toLowerCase());
  names.forEach((name, i) => {
    if (!(COLUMNS as readonly string[]).includes(name))
      problems.push(`line ${header.line}: no column is called "${header.cells[i]}"; known: ${COLUMNS.join(", ")}`);
    if (names.indexOf(name) < i) problems.push(`line ${header.line}: the column ${name} is there twice`);
  });
  for (const name of NEEDED) if (!names.includes(name)) problems.push(`line ${header.line}: the column ${name} is missing`);
  return names;
}

function readRow({ line, cells }: CsvRow, columns: string[], problems: string[]): PlanRow {
  const cell = (column: Column) => cells[columns.indexOf(column)] ?? "";
  const complain = (column: string, problem: string) => problems.push(`line ${line}, ${column}: ${problem}`);
  /** Tells what `work` throws as a problem of this column. */
  const read = <T>(column: Column, otherwise: T, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
      complain(column, error.message);
      return otherwise;
    }
  };
  if (cells.length > columns.length) complain(`column ${columns.length + 1}`, `a cell more than there are columns ("${cells[columns.length]}")`);
  const name = cell("name");
  const badName = nameProblem(name);
  if (badName) complain("name", badName);
  const board = findBoard(cell("board"));
  if (!board) complain("board", `no board is called "${cell("board")}"; known: ${BOARDS.map(({ id }) => id).join(", ")}`);
  const role = cell("role").toLowerCase();
  const protocols = words(cell("protocols") || usualProtocol(role));
  const unknown = protocols.filter((one) => !Object.keys(PROTOCOLS).includes(one));
  if (!Object.keys(ROLES).includes(role)) complain("role", `no role is called "${role}"; known: ${Object.keys(ROLES).join(", ")}`);
  else if (unknown.length > 0) complain("protocols", `no protocol is called "${unknown[0]}"; known: ${Object.keys(PROTOCOLS).join(", ")}`);
  else if (board) {
    const refused = refusal(board, role, protocols);
    if (refused) complain("role", refused);
  }
  const settingsText = cell("settings");
  const settings = read("settings", {} as Record<string, number>, () => (board ? chooseSettings(board, readSettings(settingsText), role) : {}));
  const unsendable = unknown.length > 0 ? undefined : transmitProblem(protocolMask(protocols), settings.transmit ?? 0);
  if (unsendable) complain("settings", unsendable);
  for (const [owner, owned] of [["smartbeacon", BEACON_COLUMNS] as const, ["token", TOKEN_COLUMNS] as const])
    for (const column of owned) if (role !== owner && cell(column) !== "") complain(column, `only a ${owner} has one, and the role is ${role}`);
  const token = readTokenPlan(cell("tempIds"), cell("hai"), cell("model"));
  if (token) read("hai", undefined, () => checkIdentity({ ...token, service: 0 }));
  else if (cell("hai") + cell("model") !== "") complain("tempIds", "without a batch of TempIDs nobody needs an authority or a model");
  return {
    line,
    name,
    port: read("port", ANY_PORT, () => readPort(cell("port"))),
    board: board ?? BOARDS[0],
    role,
    protocols,
    settings,
    settingsText,
    lock: read("lock", false, () => readLock(cell("lock"), board)),
    ...(role === "smartbeacon" && {
      beacon: {
        file: cell("beacon") || undefined,
        carrier: read("carrier", "token", () => readCarrier(cell("carrier"))),
        utcOffset: read("utcOffset", 0, () => readUtcOffset(cell("utcOffset"))),
      },
    }),
    ...(role === "token" && token && { token }),
    note: cell("note"),
  };
}

function readTokenPlan(file: string, org: string, model: string): TokenPlan | undefined {
  return file === "" ? undefined : { file, org, model: model || "device" };
}

/** What the role is for. */
function usualProtocol(role: string): string {
  if (role === "token") return "bluetrace";
  return role === "smartbeacon" || role === "collector" ? "smartbeacon" : Object.keys(PROTOCOLS)[0];
}

function readCarrier(text: string): string {
  const name = text === "" ? "token" : text.toLowerCase();
  if (!Object.hasOwn(CARRIERS, name)) throw new ConfigError("bad_plan", `no carrier is called "${text}"; known: ${Object.keys(CARRIERS).join(", ")}`);
  return name;
}

function readUtcOffset(text: string): number {
  const minutes = Number(text);
  if (!/^([+-]?\d{1,3})?$/.test(text) || Math.abs(minutes) > 840) throw new ConfigError("bad_plan", `whole minutes from -840 to 840, got "${text}"`);
  return minutes;
}

function words(text: string): string[] {
  return [...new Set(text.split(/[\s+]+/).filter(Boolean))];
}

/** `tcp:host:port` is taken for `tcp://host:port`. */
function readPort(text: string): string {
  if (text === "" || text === ANY_PORT) return ANY_PORT;
  if (!/^tcp:/i.test(text)) return text;
  const name = text.replace(/^tcp:(\/\/)?/i, "tcp://");
  parseTcpName(name);
  return name;
}

function readSettings(text: string): Record<string, number> {
  const changes: Record<string, number> = {};
  for (const word of words(text)) {
    const { name, value } = parseChange(word);
    if (changes[name] !== undefined) throw new ConfigError("bad_setting", `${name} is set twice`);
    changes[name] = value;
  }
  return changes;
}

function readYesNo(text: string): boolean {
  if (/^(yes|y|1|true)$/i.test(text)) return true;
  if (/^(no|n|0|false)?$/i.test(text)) return false;
  throw new ConfigError("bad_plan", `yes or no, got "${text}"`);
}

function readLock(text: string, board: BoardFacts | undefined): boolean {
  const wanted = readYesNo(text);
  const refused = wanted && board && featureRefusal(board, "lock");
  if (refused) throw new ConfigError("bad_plan", refused);
  return wanted;
}

/** Names are files' names as well, and on labels they stand in capitals: two that differ in case only are the same. */
function findDoubles(plan: PlanRow[], problems: string[]): void {
  const lines = new Map<string, number>();
  const files = new Map<string, number>();
  for (const { beacon, token, line } of plan) {
    const file = beacon?.file ?? token?.file;
    if (file === undefined) continue;
    const first = files.get(file);
    if (first === undefined) files.set(file, line);
    else if (beacon) problems.push(`line ${line}, beacon: ${file} is the key of line ${first} already; two beacons with one key can't be told apart`);
    else problems.push(`line ${line}, tempIds: ${file} are those of line ${first} already; two boards with one batch pass for one person`);
  }
  for (const { name, line } of plan) {
    const key = name.toLowerCase();
    const first = lines.get(key);
    if (first === undefined) lines.set(key, line);
    else if (name !== "") problems.push(`line ${line}, name: ${name} is the name of line ${first} already; capitals make no difference`);
  }
}
