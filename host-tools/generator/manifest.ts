import { createHash } from "node:crypto";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { ROLES, readsPhones } from "../../boards/capabilities.ts";
import { LOG_FILE, LOG_VERSION } from "../../protocols/log-format.ts";
import { type FlashPlan, fileBytes, planFlash } from "./flash-plan.ts";
import { checkMemory, memoryNeed } from "./working-memory.ts";

/** What the generator knows of a bundle; stands beside it as `<board>-<role>.manifest.json`. */
export interface Manifest {
  /** Raised when a field changes its meaning. */
  format: 1;
  board: string;
  boardName: string;
  /** What `process.env.BOARD` has to be. */
  espruinoNames: string[];
  role: string;
  protocols: string[];
  /** What is in it beside its role, of FEATURES in boards/capabilities.ts. */
  features: string[];
  /** Settings a fresh board starts with, by their names in protocols/settings.ts. */
  settings: { [name: string]: number };
  /** As the firmware tells it: version of the project and the first digits of a hash of the code. */
  version: string;
  /** File the code is written to. */
  file: string;
  bytes: number;
  /** With the file's header and padding. */
  flashBytes: number;
  /** SHA-256 of the code, hex. */
  sha256: string;
  /** Interpreter variables: estimated once the bundle is loaded (variables.ts), at work when it has most to do (working-memory.ts), and all there are. */
  variables: { estimated: number; atWork: number; total: number };
  flash: FlashPlan;
  log: { file: string; format: number };
  /** Code that the board runs at power-on, before the firmware, and its file. Absent without the lock. */
  recovery?: { file: string; code: string };
}

export interface ManifestInput {
  board: BoardFacts;
  role: string;
  protocols: string[];
  features: string[];
  settings: { [name: string]: number };
  version: string;
  recovery: string;
}

/** The interpreter runs it at start, and holding the button down leaves it out. */
const CODE_FILE = ".bootcde";
/** The interpreter runs it when it gets power, whatever the button does. */
const RECOVERY_FILE = ".bootPowerOn";

/** Records of own keys that are kept at a time. */
function keyRecords(protocols: string[], retention: number): number {
  const records: Record<string, number> = {
    // today's key and those of the retention, with a day to spare
    gaen: retention + 2,
    "dp3t-unlinkable": retention + 2,
    // daily key and meta key
    opencovidtrace: 2 * (retention + 2),
    // three parts of the chain, twice while it is replaced
    dp3t: 6,
    // two parts of the tracing key, and the daily keys of one that was ended
    ct10: 2 + retention + 1,
  };
  return protocols.reduce((sum, name) => sum + (records[name] ?? 0), 0);
}

/**
 * `code` as it is flashed, one byte a character; `variables` that it occupies once it is loaded.
 * @throws ConfigError where the code doesn't fit into the board's flash, or what it needs at work not into its variables
 */
export function makeManifest(input: ManifestInput, code: string, variables: number): Manifest {
  const { board, role, protocols, features } = input;
  const need = memoryNeed(variables, role, protocols, features, readsPhones(board, role));
  checkMemory(board, need, role, protocols, features);
  const bytes = Buffer.byteLength(code, "latin1");
  return {
    format: 1,
    board: board.id,
    boardName: board.name,
    espruinoNames: board.espruinoNames,
    role: input.role,
    protocols: input.protocols,
    features: input.features,
    settings: input.settings,
    version: input.version,
    file: CODE_FILE,
    bytes,
    flashBytes: fileBytes(bytes),
    sha256: createHash("sha256").update(code, "latin1").digest("hex"),
    variables: { estimated: variables, atWork: need.total, total: board.variables.count },
    flash: planFlash(board, bytes, {
      keys: (ROLES[input.role].advertise ? keyRecords(input.protocols, input.settings.retention) : 0) + (input.features.includes("lock") ? 1 : 0),
      beside: input.recovery ? fileBytes(input.recovery.length) : 0,
      meetings: ROLES[input.role].connects === true,
    }),
    log: { file: LOG_FILE, format: LOG_VERSION },
    ...(input.recovery ? { recovery: { file: RECOVERY_FILE, code: input.recovery } } : {}),
  };
}
