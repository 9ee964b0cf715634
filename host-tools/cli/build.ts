import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { FEATURES, ON_DEMAND, PROTOCOLS, ROLES } from "../../boards/capabilities.ts";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { parseChange } from "../device/config.ts";
import { ConfigError, ToolError } from "../errors.ts";
import { buildFirmware, type Firmware } from "../generator/bundle.ts";
import type { Manifest } from "../generator/manifest.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

/** What a user asks for, as it stands on the command line. */
export interface BuildOptions {
  board: string;
  role: string;
  protocol: string;
  /** Names of features, separated by commas. */
  without?: string;
  with?: string;
  set: string[];
  out: string;
  json?: boolean;
}

/** Builds what the options ask for. @throws ConfigError `unknown_board`, `unknown_role`, `unknown_protocol`, `unknown_feature` and those of buildFirmware */
export function buildAsAsked(options: Pick<BuildOptions, "board" | "role" | "protocol" | "without" | "with" | "set">): Promise<Firmware> {
  const facts = knownBoard(options.board);
  const protocols = options.protocol.split(",").map((name) => known("protocol", name.trim(), Object.keys(PROTOCOLS)));
  const features = (names?: string) => (names ? names.split(",").map((name) => known("feature", name.trim(), Object.keys(FEATURES))) : undefined);
  const settings = Object.fromEntries(options.set.map(parseChange).map(({ name, value }) => [name, value]));
  return buildFirmware({
    board: facts,
    role: known("role", options.role, Object.keys(ROLES)),
    protocols: [...new Set(protocols)],
    without: features(options.without),
    with: features(options.with),
    settings,
  });
}

function knownBoard(name: string): BoardFacts {
  const facts = findBoard(name);
  if (!facts)
    throw unknown(
      "board",
      name,
      BOARDS.map(({ id }) => id),
    );
  return facts;
}

function known(what: string, name: string, names: string[]): string {
  if (!names.includes(name)) throw unknown(what, name, names);
  return name;
}

function unknown(what: string, name: string, names: string[]): ConfigError {
  return new ConfigError(`unknown_${what}`, `no ${what} is called "${name}"; known: ${names.join(", ")}`);
}

/** Writes code and manifest. Answers their paths. */
function writeFirmware(firmware: Firmware, folder: string): { code: string; manifest: string } {
  const { board, role } = firmware.manifest;
  const files = { code: join(folder, `${board}-${role}.js`), manifest: join(folder, `${board}-${role}.manifest.json`) };
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(files.code, firmware.code, "latin1");
    writeFileSync(files.manifest, JSON.stringify(firmware.manifest, null, 2) + "\n");
  } catch (error) {
    throw new ToolError("unwritable_file", `${folder}: can't be written (${(error as Error).message}); choose another folder with --out`, {
      cause: error,
    });
  }
  return files;
}

/** For a person. */
export function describeFirmware(manifest: Manifest, file: string): string {
  const { flash, variables } = manifest;
  const rows = [
    ["firmware", `${manifest.boardName} ${manifest.role}, ${manifest.protocols.join(", ")}, version ${manifest.version}`],
    ["code", `${manifest.bytes} bytes, ${flash.codePages} of ${flash.pages} flash pages`],
    ["memory", `about ${variables.estimated} of ${variables.total} variables once it is loaded, ${variables.atWork} when it has most to do`],
    ["log", `${flash.guaranteedEncounters} encounters at any time, ${flash.maximumEncounters} from empty`],
    ["dense", `${flash.guaranteedDense} encounters at any time, ${flash.maximumDense} from empty`],
    ["SHA-256", manifest.sha256],
    ["file", file],
  ];
  return rows.map(([name, value]) => `${name.padEnd(8)}  ${value}`).join("\n");
}

const EXAMPLES = `
Boards: ${BOARDS.map((facts) => facts.id).join(", ")}
Roles: ${Object.entries(ROLES)
  .map(([name, role]) => `${name} (${role.what})`)
  .join("; ")}
Protocols: ${Object.entries(PROTOCOLS)
  .map(([name, { what }]) => `${name} (${what})`)
  .join("; ")}
Several go into one firmware: it logs them all and sends one, gaen before the others, until the setting transmit says otherwise; ct10 is never sent unasked. dp3t and dp3t-unlinkable exclude each other.
Features: ${Object.entries(FEATURES)
  .map(([name, what]) => `${name} (${what})`)
  .join("; ")}

Example:
  tracelet build --board puckjs --role wearable --protocol gaen --set txPower=-8 --set scanTime=4 --out out
  tracelet build --board mdbt42q --role wearable --protocol gaen,dp3t --set transmit=gaen,dp3t --set privateAddress=1`;

export const register: RegisterCommand = (program) => {
  program
    .command("build")
    .description("make the firmware for a board")
    .requiredOption("--board <id>", "board it is for")
    .requiredOption("--role <role>", "what it does")
    .requiredOption("--protocol <name[,name]>", "what it speaks")
    .option("--without <feature[,feature]>", "leave these features out, to save room")
    .option("--with <feature[,feature]>", `put these in, which are left out otherwise: ${ON_DEMAND.join(", ")}`)
    .option(
      "--set <key=value>",
      "a setting a fresh board starts with; may be given several times",
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .option("--out <folder>", "where the files go", "out")
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", EXAMPLES)
    .action(async (options: BuildOptions) => {
      const output = createOutput(options.json === true);
      const firmware = await buildAsAsked(options);
      const files = writeFirmware(firmware, options.out);
      output.result({ files, manifest: firmware.manifest }, describeFirmware(firmware.manifest, files.code));
    });
};
