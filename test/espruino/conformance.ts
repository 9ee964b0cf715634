import { readdirSync, readFileSync } from "node:fs";
import type { Ability } from "./abilities.ts";
import { asBytes, literal, type Machine, run, settle } from "./machine.ts";

// Probes are lines of text files: `name: code`. What an interpreter prints for one is its answer; the real one and the virtual board must
// answer alike. In a file, `# …` is a comment, `⏎` in the code is a line break, and these lines set how the probes after them are run:
//
//   @needs <ability>   skipped where the interpreter has it not; see abilities.ts
//   @later             a second of the board's time belongs to the answer
//   @fails             the probe throws; the words are not compared
//   @typed             not code but bytes for the console, as in a JavaScript string; the answer is every byte that comes back

export interface Probe {
  /** `file: name` */
  id: string;
  code: string;
  how: "code" | "later" | "fails" | "typed";
  needs: Ability | undefined;
}

/** What was printed, lines separated by LF; for typed probes as it came. */
export type Answers = { [id: string]: string };

/** The answers of a real interpreter, so that the virtual board can be held against them where there is none. */
export interface Recorded {
  /** `process.env.VERSION` */
  version: string;
  answers: Answers;
}

export const EXPECTED = new URL("./conformance.expected.json", import.meta.url);
const FOLDER = new URL("./probes/", import.meta.url);
/** Milliseconds a `@later` probe is given. */
const LATER_MS = 1000;
/** Takes away what a probe may have left on the input line. */
const EMPTY_LINE = "\x1b[2H";

/** The probes by file. */
export function readProbes(): Map<string, Probe[]> {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
  return new Map(files.sort().map((name) => [name.slice(0, -4), readFile(name)]));
}

function readFile(name: string): Probe[] {
  const probes: Probe[] = [];
  const names = new Set<string>();
  let how: Probe["how"] = "code";
  let needs: Ability | undefined;
  readFileSync(new URL(name, FOLDER), "utf8")
    .split("\n")
    .forEach((line, number) => {
      const wrong = (what: string) => new Error(`${name}:${number + 1}: ${what}: ${line}`);
      if (line === "" || line.startsWith("#")) return;
      if (line.startsWith("@needs ")) needs = line.slice(7) as Ability;
      else if (/^@(later|fails|typed)$/.test(line)) how = line.slice(1) as Probe["how"];
      else {
        const at = line.indexOf(": ");
        if (at < 0) throw wrong("a probe is `name: code`");
        const id = `${name.slice(0, -4)}: ${line.slice(0, at)}`;
        if (names.has(id)) throw wrong("there is a probe of this name");
        names.add(id);
        probes.push({ id, code: line.slice(at + 2).replaceAll("⏎", "\n"), how, needs });
      }
    });
  return probes;
}

/** What is written down when an interpreter does not answer at all. */
export const NO_ANSWER = "(no answer)";

/** Asks the probes of one file, in their order, one interpreter that starts with nothing in its flash; a fresh one after a probe that silences it. */
export async function answersOf(start: () => Promise<Machine>, probes: Probe[], can: (ability: Ability) => boolean): Promise<Answers> {
  const answers: Answers = {};
  let machine: Machine | undefined;
  let echo = false;
  for (const probe of probes) {
    if (probe.needs && !can(probe.needs)) continue;
    machine ??= await start();
    try {
      if (!echo && probe.how === "typed") await run(machine, "echo(1)");
      echo = probe.how === "typed";
      answers[probe.id] = await ask(machine, probe);
    } catch {
      answers[probe.id] = NO_ANSWER;
      await machine.close();
      machine = undefined;
      echo = false;
    }
  }
  await machine?.close();
  return answers;
}

/** Reason, and the ids of the probes in which the virtual board differs for it. */
export type KnownDifferences = { [reason: string]: string[] };

/** What is not as it should be: an answer that differs and is not listed, or one that is listed and does not differ. */
export function differences(real: Answers, virtual: Answers, known: KnownDifferences): string[] {
  const reasons = new Map(Object.entries(known).flatMap(([reason, ids]) => ids.map((id) => [id, reason] as const)));
  return Object.keys(real).flatMap((id) => {
    const reason = reasons.get(id);
    const alike = real[id] === virtual[id];
    if (alike && reason) return [`${id}: listed in known-differences.ts ("${reason}"), but there is no difference any more: take it out`];
    if (!alike && !reason) return [`${id}: the interpreter says ${JSON.stringify(real[id])}, the virtual board ${JSON.stringify(virtual[id])}`];
    return [];
  });
}

async function ask(machine: Machine, probe: Probe): Promise<string> {
  if (probe.how === "typed") return type(machine, probe.code);
  // `_` holds the value, so that its type can be printed beside it
  const line = `try{_=eval(${literal(asBytes(probe.code))});print("=",typeof _,_)}catch(_){print("! "+_)}`;
  let answer = await run(machine, line);
  if (probe.how === "later") {
    await machine.advance(LATER_MS);
    answer += await settle(machine);
  }
  answer = answer.replaceAll("\r\n", "\n").replace(/\n$/, "");
  return probe.how === "fails" && answer.startsWith("! ") ? "fails" : answer;
}

/** Line by line, as a person does: what comes while a line still runs is not echoed the same way. */
async function type(machine: Machine, code: string): Promise<string> {
  await settle(machine);
  await machine.quiet();
  machine.text = "";
  for (const part of bytesOf(code).split(/(?<=[\n])/)) {
    machine.type(part);
    await machine.quiet();
  }
  const answer = machine.text;
  machine.type(EMPTY_LINE);
  return answer;
}

/** The text of a JavaScript string without its quotes. */
function bytesOf(code: string): string {
  return JSON.parse(`"${code.replaceAll('"', '\\"').replace(/\\x([\da-f]{2})/g, "\\u00$1")}"`) as string;
}
