import { rmSync } from "node:fs";
import { ESPRUINO_BIN, Interpreter, startInterpreter, temporaryDirectory } from "./interpreter.ts";
import { run } from "./machine.ts";

/** What a build of the interpreter can do that not every build can. */
export const ABILITIES = {
  "byte strings": "strings of bytes, as on a Puck.js; this build has Unicode",
  "mapped storage": "Storage of 10 pages of 4096 bytes at 0x6C000, memory-mapped, as on a Puck.js",
  "virtual time": "a clock that stands until __vt(ms) (environment ESPR_VTIME)",
  "settable clock": "setTime",
  aes: "AES and SHA-256",
  pins: "LED1 to LED3 and BTN",
  "puck build": "the libraries and the board description of a Puck.js",
  "flash faults": "a power cut at a given flash word (environment ESPR_FLASH_KILL)",
} as const;

export type Ability = keyof typeof ABILITIES;

export interface Build {
  version: string;
  abilities: Set<Ability>;
}

const QUESTIONS: { [ability in Ability]?: string } = {
  "byte strings": '"\\xe2\\x82\\xac".length===3&&"\\u20ac".charCodeAt(0)===0xac',
  "mapped storage":
    '(function(s){s.write("a","b");return E.getAddressOf(s.read("a"),true)===0x6c020&&require("Flash").getPage(0x6c020).length===4096})(require("Storage"))',
  "virtual time": 'typeof __vt==="function"',
  "settable clock": "(setTime(1600000000),Math.abs(getTime()-1600000000)<9)",
  aes: 'typeof AES!=="undefined"&&typeof require("crypto").SHA256==="function"',
  pins: 'typeof LED3!=="undefined"&&typeof BTN1!=="undefined"',
  "puck build": 'process.env.BOARD==="PUCKJS"&&process.env.MODULES==="timer,Flash,Storage,heatshrink,crypto"',
};

let known: Promise<Build> | undefined;

/** Asks the interpreter what it is and what it can do; once for all tests of a file. */
export function build(): Promise<Build> {
  // a Linux build may lose a character that was typed, so a second try is fair
  known ??= ask().catch(() => ask());
  return known;
}

async function ask(): Promise<Build> {
  const interpreter = await startInterpreter();
  const abilities = new Set<Ability>();
  try {
    for (const [ability, question] of Object.entries(QUESTIONS)) {
      const answer = await run(interpreter, `try{print(!!(${question}))}catch(e){print(false)}`);
      if (answer.trim() === "true") abilities.add(ability as Ability);
    }
    if (await diesAtFlashWord()) abilities.add("flash faults");
    return { version: (await run(interpreter, "print(process.env.VERSION)")).trim(), abilities };
  } finally {
    await interpreter.close();
  }
}

async function diesAtFlashWord(): Promise<boolean> {
  const directory = temporaryDirectory();
  const interpreter = new Interpreter({ directory, environment: { ESPR_FLASH_KILL: "0" } });
  try {
    interpreter.type('\x10require("Storage").write("a","b")\n\x10print("al"+"ive")\n');
    return await interpreter.read("alive").then(
      () => false,
      () => true,
    );
  } finally {
    await interpreter.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** For `describe.skipIf`: without an interpreter nothing of this suite runs. */
export const NO_INTERPRETER = ESPRUINO_BIN === "";
