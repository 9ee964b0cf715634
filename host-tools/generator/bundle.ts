import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { type InputOptions, type OutputChunk, type OutputOptions, rollup, type SourceMap } from "rollup";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { connectsForIdentifiers, FEATURES, featureRefusal, ON_DEMAND, ROLES, readsPhones, refusal } from "../../boards/capabilities.ts";
import { BOARDS } from "../../boards/index.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { projectRoot, projectVersion } from "../project.ts";
import { protocolMask, transmitProblem } from "../protocol-masks.ts";
import { placeholder, stampVersion } from "./build-id.ts";
import { checkDialect, type Finding } from "./dialect.ts";
import { type Manifest, makeManifest } from "./manifest.ts";
import { checkPastedNames } from "./pasted-names.ts";
import { chooseSettings, settingValues } from "./settings.ts";
import { tokenise } from "./tokens.ts";
import { estimateVariables } from "./variables.ts";
import { guestsOf } from "./working-memory.ts";

/** A firmware, ready to be flashed. */
export interface Firmware {
  /** As it is flashed, one byte a character. */
  code: string;
  /** The same as JavaScript, printable ASCII. */
  text: string;
  manifest: Manifest;
  /** From the text back to the sources. */
  map: SourceMap;
}

export interface FirmwareRequest {
  board: BoardFacts;
  role: string;
  protocols: string[];
  /** Features to leave out, of FEATURES in boards/capabilities.ts. */
  without?: string[];
  /** Those of ON_DEMAND that are wanted. */
  with?: string[];
  /** Settings that differ from the usual ones, by name. */
  settings?: { [name: string]: number };
  /** Instead of firmware/main.ts. */
  entry?: string;
}

/** What `firmwareBundle` of rollup.config.mjs is told. */
export interface BundleOptions {
  entry: string;
  fileName: string;
  constants: { [name: string]: unknown };
  /** Looks at the bundle before it is minified. */
  inspect?(code: string): void;
  finish?(code: string, map: SourceMap): Omit<Firmware, "map">;
}

type RollupBundle = InputOptions & { output: OutputOptions };

/** Screens that the firmware draws on, by the call that switches them. */
const SCREENS: (string | undefined)[] = ["Pixl.setLCDPower", "Bangle.setLCDPower"];
const LONG_PRESS_SECONDS = 2;
/** Where Rollup thinks the bundle lies: its maps are relative to it. */
const OUTPUT = "dist/firmware";

/**
 * Builds the firmware for one board.
 * @throws ConfigError where board, role, protocols and settings don't go together, FormatError where the sources are no firmware.
 * @example await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], settings: { txPower: -8 } })
 */
export async function buildFirmware(request: FirmwareRequest): Promise<Firmware> {
  const options = prepareBundle(request, await recoveryFor(request));
  const { firmwareBundle } = (await import(pathToFileURL(join(projectRoot(), "rollup.config.mjs")).href)) as {
    firmwareBundle(options: BundleOptions): RollupBundle;
  };
  const chunk = await generate(firmwareBundle({ ...options, finish: undefined }));
  const map = chunk.map as SourceMap;
  return { ...options.finish(chunk.code, map), map };
}

function chooseFeatures(request: FirmwareRequest): string[] {
  // a TempID is on no air, so nobody could testify for it
  const without = ROLES[request.role]?.connects ? [...(request.without ?? []), "proof"] : request.without;
  return Object.keys(FEATURES).filter((name) => (ON_DEMAND.includes(name) ? request.with?.includes(name) : !without?.includes(name)));
}

/** What the board runs at power-on, before the firmware: firmware/recovery.ts. "" where it has no lock. */
async function recoveryFor(request: FirmwareRequest): Promise<string> {
  if (!chooseFeatures(request).includes("lock")) return "";
  const { firmwareBundle } = (await import(pathToFileURL(join(projectRoot(), "rollup.config.mjs")).href)) as {
    firmwareBundle(options: BundleOptions): RollupBundle;
  };
  const options = prepareBundle({ ...request, entry: join(projectRoot(), "firmware/recovery.ts") });
  const chunk = await generate(firmwareBundle({ ...options, finish: undefined }));
  const code = chunk.code.trimEnd();
  checkBundle(code, chunk.map as SourceMap, request.board);
  return tokenise(code);
}

/** The standard bundles, which `npm run build` makes: every role of every board that can fill it, with GAEN. */
export async function standardBundles(): Promise<BundleOptions[]> {
  const protocols = ["gaen"];
  const requests = BOARDS.flatMap((board) =>
    Object.keys(ROLES)
      .filter((role) => refusal(board, role, protocols) === undefined)
      .map((role) => ({ board, role, protocols })),
  );
  return Promise.all(requests.map(async (request) => prepareBundle(request, await recoveryFor(request))));
}

/** Checks a request and puts together what goes into its bundle. `recovery`: code that goes to the board beside it. */
export function prepareBundle(request: FirmwareRequest, recovery = ""): BundleOptions & Required<Pick<BundleOptions, "finish">> {
  const { board, role, protocols } = request;
  const refused = refusal(board, role, protocols);
  if (refused) throw new ConfigError("board_cannot", refused);
  const settings = chooseSettings(board, request.settings ?? {}, role);
  const unsendable = transmitProblem(protocolMask(protocols), settings.transmit);
  if (unsendable) throw new ConfigError("bad_setting", unsendable);
  const entry = resolve(request.entry ?? join(projectRoot(), "firmware/main.ts"));
  if (!existsSync(entry)) throw new ConfigError("no_firmware", `${shortPath(entry)} is not there, and every bundle begins with it`);
  const version = projectVersion();
  const features = chooseFeatures(request);
  for (const feature of features) {
    const unfit = featureRefusal(board, feature, role, protocols);
    if (unfit) throw new ConfigError("board_cannot", `${unfit}.`);
  }
  const isConnected = connectsForIdentifiers(protocols, features);
  return {
    entry,
    fileName: `${board.id}-${role}.js`,
    constants: {
      BOARD_ID: board.id,
      ROLE: role,
      VERSION: placeholder(version),
      GAEN: protocols.includes("gaen"),
      CT10: protocols.includes("ct10"),
      DP3T: protocols.includes("dp3t"),
      DP3T_UNLINKABLE: protocols.includes("dp3t-unlinkable"),
      OPENCOVIDTRACE: protocols.includes("opencovidtrace"),
      READS: ROLES[role].scan && isConnected,
      SERVES: ROLES[role].advertise && isConnected,
      SMARTBEACON: protocols.includes("smartbeacon"),
      MESSAGES: role === "smartbeacon",
      COLLECT: ROLES[role].scan && protocols.includes("smartbeacon"),
      GUESTS: guestsOf(protocols),
      SEVERAL: protocols.some((name) => name !== "gaen"),
      PROTOCOLS: protocolMask(protocols),
      TOKEN: ROLES[role].connects === true,
      ADVERTISE: ROLES[role].advertise && !ROLES[role].connects,
      SCAN: ROLES[role].scan && !ROLES[role].connects,
      DEFAULTS: settingValues(settings),
      STORAGE: board.storage.address,
      EXTERNAL_FLASH: !board.storage.internal,
      AES_BUILT_IN: board.crypto.aes,
      SHA256_BUILT_IN: board.crypto.sha256,
      SOFT_DEVICE: board.softDevice.firmwareId,
      READS_PHONES: readsPhones(board, role),
      MTU: board.gatt.mtu,
      LIGHTS: usableLights(board),
      SCREEN: SCREENS.indexOf(board.screen?.power) + 1,
      LONG_PRESS: board.longPress ?? LONG_PRESS_SECONDS,
      BATTERY_PIN: board.battery?.pin ?? "",
      VOLTS_AT_ONE: board.battery?.voltsAtOne ?? 0,
      BLUETOOTH_CONSOLE: board.console.device === "Terminal",
      BUTTON: board.buttons.length > 0,
      PROOF: features.includes("proof"),
      LOCK: features.includes("lock"),
      CONSOLE: board.console.device,
      USB_PORT: board.ports.includes("USB"),
    },
    inspect: checkPastedNames,
    finish(code, map) {
      const stamped = stampVersion(code.trimEnd(), version);
      checkBundle(stamped.code, map, board);
      const kept = tokenise(stamped.code);
      return {
        code: kept,
        text: stamped.code,
        manifest: makeManifest(
          { board, role, protocols, features, settings, version: stamped.version, recovery },
          kept,
          estimateVariables(stamped.code),
        ),
      };
    },
  };
}

/** LED1, LED2, LED3: three only where they are red, green and blue, so that a colour can say something. A backlight is no light. */
function usableLights(board: BoardFacts): number {
  const colours = board.lights.map((light) => light.colour).filter((colour) => colour !== "backlight");
  return colours.slice(0, 3).join() === "red,green,blue" ? 3 : Math.min(2, colours.length);
}

async function generate(options: RollupBundle): Promise<OutputChunk> {
  try {
    const bundle = await rollup(options);
    const { output } = await bundle.generate(options.output);
    await bundle.close();
    return output[0];
  } catch (problem) {
    const { message, id, loc } = problem as { message: string; id?: string; loc?: { file?: string; line: number } };
    const file = loc?.file ?? id;
    const place = file ? `${shortPath(file)}${loc ? `:${loc.line}` : ""}: ` : "";
    // Rollup names the plugin and, in its own words, the place
    const reason = message.replace(/^\[plugin [^\]]+\] /, "").replace(/^\S+ \(\d+:\d+\): /, "");
    throw new FormatError("bundle", `The firmware can't be bundled: ${place}${reason}`, { cause: problem });
  }
}

/** @throws FormatError `dialect` with every place that the interpreter would not take as it is meant. */
function checkBundle(code: string, map: SourceMap, board: BoardFacts): void {
  const findings = checkDialect(code, { unicode: board.unicode });
  const strange = /[^\x20-\x7e\n]/.exec(code);
  if (strange)
    findings.push({ ...position(code, strange.index), feature: "byte", message: "a byte that is no printable ASCII can't be sent to a board" });
  if (findings.length === 0) return;
  const trace = new TraceMap(map as ConstructorParameters<typeof TraceMap>[0]);
  const lines = findings.map((finding) => `${sourcePlace(trace, finding)}: ${finding.feature}: ${finding.message}`);
  throw new FormatError(
    "dialect",
    `${findings.length} ${findings.length === 1 ? "place" : "places"} that Espruino takes otherwise:\n  ${lines.join("\n  ")}`,
  );
}

function position(code: string, index: number): { line: number; column: number } {
  const before = code.slice(0, index).split("\n");
  return { line: before.length, column: before[before.length - 1].length };
}

/** `file.ts:line` of a place in the bundle. */
function sourcePlace(trace: TraceMap, finding: Finding): string {
  const { source, line } = originalPositionFor(trace, { line: finding.line, column: finding.column });
  return source ? `${shortPath(resolve(projectRoot(), OUTPUT, source))}:${line}` : `bundle:${finding.line}:${finding.column}`;
}

function shortPath(path: string): string {
  return relative(projectRoot(), path).replaceAll("\\", "/");
}
