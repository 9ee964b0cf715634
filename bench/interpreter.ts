import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { puckjs } from "../boards/puckjs.ts";
import { ConfigError } from "../host-tools/errors.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../protocols/smartbeacon/advertisement.ts";
import { CARRIER_AT, SETUP_BYTES, SINGLE_AT, SK_LENGTH_AT } from "../protocols/smartbeacon/setup.ts";
import { crowdedRadio, flashImage, radioWith } from "./interpreter-image.ts";

// The real interpreter runs the bundle from its flash, under callgrind. What an advertisement costs is the difference of two runs that differ in nothing else:
// the bundle's own handler, and an empty one. It needs an interpreter whose Storage is that of a Puck.js in `espruino.flash`, virtual time that passes by itself
// (ESPR_VTIME_AUTO) and a `quit()`; the Linux build of the interpreter as it is published has none of the three, and is told apart by what it prints.

const NEIGHBOURS = 30;
/** For a day, in which each changes its identifier every 10 to 20 minutes. */
const CROWD = 50;
const DAY_MS = 86_400_000;
/** As heard in a scan of 2 s at 250 ms. */
const REPORTS = 240;
const START = 1_700_000_000;
/** An hour after midnight, so that no key is made in the hours that are compared. */
const QUIET_START = 1_700_010_000;

/** What a wearable may speak, beside GAEN alone. */
const COMBINATIONS = [
  ["dp3t"],
  ["dp3t-unlinkable"],
  ["ct10"],
  ["gaen", "dp3t"],
  ["gaen", "dp3t", "smartbeacon"],
  ["gaen", "dp3t", "ct10", "smartbeacon"],
];

/** A radio that hands `NEIGHBOURS` devices to the handler in turn, or to an empty function; the interpreter ends after `scans` scans. */
function radio(handler: "own" | "empty" | "nobody", scans: number): string {
  const feed = `setTimeout(function(){for(var k=0;k<${REPORTS};k++){var u=packets[k%${NEIGHBOURS}];
${handler === "own" ? "f" : "none"}({id:"c0:00:00:00:00:01 random",rssi:-40-k%50,data:new Uint8Array(u).buffer,services:["fd6f"],serviceData:{fd6f:new Uint8Array(u.subarray(11)).buffer}})}},500)`;
  return `(function(){var packets=[],seen=0,none=function(d){};
for(var i=0;i<${NEIGHBOURS};i++){var u=new Uint8Array(31);u.set([2,1,26,3,3,111,253,23,22,111,253]);for(var j=11;j<31;j++)u[j]=E.CRC32([i,j]);packets.push(u)}
${radioWith(`function(f){if(!f)return;if(++seen>${scans})return quit();${handler === "nobody" ? "" : feed}}`)}})();`;
}

function binaryUnderTest(): string {
  const binary = process.env.ESPRUINO_BIN;
  if (!binary) throw new ConfigError("no_interpreter", "set ESPRUINO_BIN to an Espruino Linux binary that behaves like a Puck.js");
  const { error, stdout } = spawnSync(binary, ["-e", "print(typeof quit,typeof __vt,process.memory().total)"], {
    encoding: "latin1",
    input: "",
    timeout: 10_000,
  });
  if (error) throw new ConfigError("no_interpreter", `ESPRUINO_BIN=${binary} can't be run: ${error.message}`);
  if (!stdout.includes(`function function ${puckjs.variables.count}`))
    throw new ConfigError(
      "unfit_interpreter",
      `${binary}: ${puckjs.variables.count} variables, quit() and virtual time (__vt) are needed; the published Linux build has none of them`,
    );
  return binary;
}

function interpreter(code: string, before: string, counted: boolean, start = START): { instructions: number; output: string } {
  const binary = binaryUnderTest();
  const folder = mkdtempSync(join(tmpdir(), "tracelet-bench-"));
  try {
    writeFileSync(join(folder, "espruino.flash"), flashImage(code, before));
    const command = counted ? ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary] : [binary];
    const run = spawnSync(command[0]!, [...command.slice(1), "-e", "0"], {
      cwd: folder,
      encoding: "latin1",
      input: "",
      env: { ...process.env, ESPR_VTIME: String(start), ESPR_VTIME_AUTO: "1" },
    });
    if (run.error) throw new ConfigError("no_valgrind", `${command[0]} can't be started: ${run.error.message}`);
    const count = /Collected : (\d+)/.exec(run.stderr)?.[1];
    if (/Uncaught|MEMORY/.test(run.stdout) || (counted && !count))
      throw new ConfigError("unfit_interpreter", `the interpreter did not run the bundle: ${run.stdout.slice(-300)}`);
    return { instructions: Number(count ?? 0), output: run.stdout };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Instructions that only the firmware takes, less those of the same scans that hand out nothing, or hand it to nobody. */
function measureScanning(code: string) {
  const scan = (handler: "own" | "empty" | "nobody") =>
    (interpreter(code, radio(handler, 5), true).instructions - interpreter(code, radio(handler, 2), true).instructions) / 3;
  const [own, empty, nobody] = [scan("own"), scan("empty"), scan("nobody")];
  return {
    instructionsPerAdvertisement: Math.round((own - empty) / REPORTS),
    emptyCallbackAndEvent: Math.round((empty - nobody) / REPORTS),
    emptyScan: Math.round(nobody),
  };
}

/** Instructions for one change of identifier, metadata and address: two runs of some hours, by the changes that one has more. */
function measureRotation(code: string) {
  const run = (hours: number) => {
    const script = `${radioWith("function(){}")}setTimeout(function(){print("rotations",global.rotations);quit()},${hours * 3_600_000});`;
    const { instructions, output } = interpreter(code, script, true, QUIET_START);
    return {
      instructions: instructions - interpreter("0", script, true, QUIET_START).instructions,
      rotations: Number(/rotations (\d+)/.exec(output)?.[1]),
    };
  };
  const [short, long] = [run(2), run(8)];
  return { instructionsPerRotation: Math.round((long.instructions - short.instructions) / (long.rotations - short.rotations)) };
}

/** Variables in use, garbage collected, and at most; beyond those that the same board holds without the firmware. */
function measureVariables(code: string) {
  const variables = (bundle: string, shim: string, afterMs: number) => {
    const end = `setTimeout(function(){print("variables",process.memory().usage,global.most);quit()},${afterMs});`;
    const [, used, most] = /variables (\d+) (\d+)?/.exec(interpreter(bundle, shim + end, false).output) ?? [];
    return { used: Number(used), most: Number(most) };
  };
  const silent = radioWith("function(){}");
  const crowded = crowdedRadio(CROWD);
  const bare = variables("0", crowded, 20_000).used;
  const day = variables(code, crowded, DAY_MS + 20_000);
  return {
    variablesIdle: variables(code, silent, 20_000).used - variables("0", silent, 20_000).used,
    variablesAfterDay: day.used - bare,
    // the event is in it, as it is on a board; a role that hears nothing has no more than after the day
    variablesAtMost: Math.max(day.most, day.used) - bare,
  };
}

/** Instructions for a message of a SmartBeacon, its fragments included: two runs, by the minutes that one has more. */
function measureMessages(code: string) {
  const run = (carrier: number, minutes: number) => {
    const setup = Buffer.alloc(SETUP_BYTES, 7);
    setup.fill(0, SINGLE_AT);
    setup[CARRIER_AT] = carrier;
    setup[SK_LENGTH_AT] = 32;
    const script = `${radioWith("function(){}")}setTimeout(function(){T.b("${setup.toString("base64")}")},1000);setTimeout(quit,${minutes * 60_000 + 30_000});`;
    return interpreter(code, script, true, QUIET_START).instructions;
  };
  const each = (carrier: number) => Math.round((run(carrier, 30) - run(carrier, 10)) / 20);
  return {
    instructionsPerMessageC: each(MESSAGE_FRAGMENT),
    instructionsPerFernetToken: each(FERNET_FRAGMENT),
    instructionsPerCompactToken: each(COMPACT_TOKEN),
  };
}

/** Figures of each role of a Puck.js on the real interpreter. */
export async function measureInterpreter() {
  const roles: { [role: string]: object } = {};
  const silent = radioWith("function(){}");
  const bare = interpreter("0", `${silent}setTimeout(quit,0);`, true).instructions;
  for (const role of ["wearable", "beacon", "scanner"]) {
    const { code, manifest } = await buildFirmware({ board: puckjs, role, protocols: ["gaen"] });
    roles[role] = {
      bundleBytes: manifest.bytes,
      instructionsAtStart: interpreter(code, `${silent}setTimeout(quit,0);`, true).instructions - bare,
      ...(role === "beacon" ? {} : measureScanning(code)),
      ...(role === "beacon" ? measureRotation(code) : {}),
      ...measureVariables(code),
    };
  }
  for (const protocols of COMBINATIONS) {
    const { code, manifest } = await buildFirmware({ board: puckjs, role: "wearable", protocols });
    roles[`wearable ${protocols.join(" ")}`] = {
      bundleBytes: manifest.bytes,
      ...(protocols.length > 2 ? measureScanning(code) : {}),
      ...measureVariables(code),
    };
  }
  const { code, manifest } = await buildFirmware({ board: puckjs, role: "smartbeacon", protocols: ["smartbeacon"] });
  roles.smartbeacon = { bundleBytes: manifest.bytes, ...measureMessages(code), ...measureVariables(code) };
  return { neighbours: NEIGHBOURS, crowd: CROWD, ...roles };
}
