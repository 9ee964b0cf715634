import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { puckjs } from "../boards/puckjs.ts";
import { ConfigError } from "../host-tools/errors.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../host-tools/simulator/virtual-clock.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE } from "../protocols/log-format.ts";

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

/** Flash as `tracelet flash` leaves it, and a script that is there before the firmware. */
function flashImage(code: string, before: string): Uint8Array {
  const board = new VirtualBoard({ facts: puckjs, clock: new VirtualClock(START) });
  const { address, pages, pageBytes } = puckjs.storage;
  const ringPages = 6;
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  head.fill(7, 4, 12);
  head[12] = ringPages;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  board.storage.write(LOG_FILE, head, undefined, 0, (ringPages + 1) * pageBytes - 32);
  board.storage.write(".boot0", Buffer.from(before, "latin1"));
  board.storage.write(".bootcde", Buffer.from(code, "latin1"));
  return board.flash.read(address, pages * pageBytes);
}

/** A radio that hands `NEIGHBOURS` devices to the handler in turn, or to an empty function; the interpreter ends after `scans` scans. */
function radio(handler: "own" | "empty" | "nobody", scans: number): string {
  const feed = `setTimeout(function(){for(var k=0;k<${REPORTS};k++){var u=packets[k%${NEIGHBOURS}];
${handler === "own" ? "f" : "none"}({id:"c0:00:00:00:00:01 random",rssi:-40-k%50,data:new Uint8Array(u).buffer,services:["fd6f"],serviceData:{fd6f:new Uint8Array(u.subarray(11)).buffer}})}},500)`;
  return `(function(){var packets=[],seen=0,none=function(d){};
for(var i=0;i<${NEIGHBOURS};i++){var u=new Uint8Array(31);u.set([2,1,26,3,3,111,253,23,22,111,253]);for(var j=11;j<31;j++)u[j]=E.CRC32([i,j]);packets.push(u)}
global.NRF={sleep:function(){},wake:function(){},setAdvertising:function(){},setAddress:function(){},setTxPower:function(){},getSecurityStatus:function(){return{connected:false}},getBattery:function(){return 3},
setScan:function(f){if(!f)return;if(++seen>${scans})return quit();${handler === "nobody" ? "" : feed}}}})();`;
}

/** A radio with `CROWD` neighbours about, each heard eight times in a scan. Nothing is kept of them: an identifier is made of the number of the neighbour and the time. */
function crowdedRadio(): string {
  return `var most=0;(function(){function heard(i){var s=(getTime()+i*37)/(600+i*600/${CROWD})|0,u=new Uint8Array(31),k,c;
u.set([2,1,26,3,3,111,253,23,22,111,253]);for(k=11;k<31;k+=4){c=E.CRC32([i,s,s>>8,k]);u[k]=c>>24;u[k+1]=c>>16;u[k+2]=c>>8;u[k+3]=c}
return{id:"c0:00:00:00:00:01 random",rssi:-40-Math.random()*50|0,data:u.buffer,services:["fd6f"],serviceData:{fd6f:u.subarray(11)}}}
function play(f,n){for(var i=0;i<${CROWD};i++){f(heard(i));var m=process.memory(false).usage;if(m>most)most=m}if(n)setTimeout(play,240,f,n-1)}
global.NRF={sleep:function(){},wake:function(){},setAdvertising:function(){},setAddress:function(){},setTxPower:function(){},getSecurityStatus:function(){return{connected:false}},getBattery:function(){return 3},
setScan:function(f){if(f)setTimeout(play,100,f,7)}}})();`;
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

function interpreter(code: string, before: string, counted: boolean): { instructions: number; output: string } {
  const binary = binaryUnderTest();
  const folder = mkdtempSync(join(tmpdir(), "tracelet-bench-"));
  try {
    writeFileSync(join(folder, "espruino.flash"), flashImage(code, before));
    const command = counted ? ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", binary] : [binary];
    const run = spawnSync(command[0]!, [...command.slice(1), "-e", "0"], {
      cwd: folder,
      encoding: "latin1",
      input: "",
      env: { ...process.env, ESPR_VTIME: String(START), ESPR_VTIME_AUTO: "1" },
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

/** Instructions for each advertisement heard (handler and call, its share of what a scan does afterwards included), and variables in use. */
export async function measureInterpreter() {
  const { code, manifest } = await buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"] });
  const scan = (handler: "own" | "empty" | "nobody") =>
    (interpreter(code, radio(handler, 5), true).instructions - interpreter(code, radio(handler, 2), true).instructions) / 3;
  const [own, empty, nobody] = [scan("own"), scan("empty"), scan("nobody")];
  const power = radio("nobody", 1e6);
  const started = (bundle: string) => interpreter(bundle, `${power}setTimeout(quit,0);`, true).instructions;
  const variables = (bundle: string, shim: string, afterMs: number) => {
    const { output } = interpreter(
      bundle,
      `${shim}setTimeout(function(){print("variables",process.memory().usage,global.most);quit()},${afterMs});`,
      false,
    );
    const [, used, most] = /variables (\d+) (\d+)?/.exec(output) ?? [];
    return { used: Number(used), most: Number(most) };
  };
  const bare = variables("0", power, 20_000);
  const bareCrowd = variables("0", crowdedRadio(), 20_000);
  const day = variables(code, crowdedRadio(), DAY_MS + 20_000);
  return {
    bundleBytes: manifest.bytes,
    neighbours: NEIGHBOURS,
    instructionsPerAdvertisement: Math.round((own - empty) / REPORTS),
    emptyCallbackAndEvent: Math.round((empty - nobody) / REPORTS),
    emptyScan: Math.round(nobody),
    instructionsAtStart: started(code) - started("0"),
    variablesIdle: variables(code, power, 20_000).used - bare.used,
    crowd: CROWD,
    variablesAfterDayInCrowd: day.used - bareCrowd.used,
    // the event is in it, as it is on a board
    variablesAtMost: day.most - bareCrowd.used,
  };
}
