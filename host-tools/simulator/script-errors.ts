import { spelt, type TokenisedCode } from "../generator/tokens.ts";
import type { NarrowRealm } from "./narrow-realm.ts";
import { type AnyNode, children, parseSource, type Translation, translationById } from "./translate.ts";

/** The script is thrown out: out of memory, or a reboot (then without a message). No catch clause stops it. */
export class Abort extends Error {}

interface Frame {
  name: string;
  script: Translation;
  offset: number;
}

interface Trace {
  text: string;
  type: string;
  message: string;
}

/** How scripts are called in error messages. */
export interface ScriptNames {
  /** Of what is run at the bottom of the stack: `REPL`, `boot code`, a file's name; undefined: called back. */
  root: string | undefined;
  /** The file of Storage that this text lies in. */
  fileOf(text: string): ScriptFile | undefined;
}

export interface ScriptFile {
  name: string;
  code: TokenisedCode;
}

const FRAME = /at (?:new )?(?:(.*?) \()?(espruino-\d+):(\d+):(\d+)\)?$/;

/**
 * Gives an error that V8 made the interpreter's message, type and stack text; an error that has them already keeps them.
 * Source: what Espruino 2v29 answers to the same lines; src/jslex.c, jslPrintStackTrace.
 */
export function espruinoError(realm: NarrowRealm, error: unknown, names: ScriptNames): void {
  if (!realm.isError(error) || isDressed(error)) return;
  const frames = framesOf(error.stack ?? "");
  const trace = reword(realm, error, frames[0]);
  realm.setErrorType(error, trace.type);
  const stack = stackText(frames, trace, names);
  const silent = error.type !== undefined && !Object.hasOwn(error, "message");
  if (!silent) {
    // The order in which a script sees them: message, type, stack.
    for (const name of ["message", "type", "stack"]) Reflect.deleteProperty(error, name);
    Object.defineProperty(error, "message", { value: trace.message, enumerable: true, configurable: true, writable: true });
  }
  Object.defineProperty(error, "type", { value: trace.type, enumerable: true, configurable: true, writable: true });
  Object.defineProperty(error, "stack", { value: stack, enumerable: true, configurable: true, writable: true });
}

function isDressed(error: Error): boolean {
  return Object.getOwnPropertyDescriptor(error, "stack")?.enumerable === true;
}

function framesOf(stack: string): Frame[] {
  const frames: Frame[] = [];
  for (const line of stack.split("\n")) {
    const match = FRAME.exec(line.trim());
    const script = match && translationById(match[2]!);
    if (match && script)
      frames.push({ name: (match[1] ?? "").replace(/^.*\./, ""), script, offset: script.sourceOffset(Number(match[3]), Number(match[4])) });
  }
  return frames;
}

/** V8's words to the interpreter's. */
function reword(realm: NarrowRealm, error: Error & { type?: string }, top: Frame | undefined): Trace {
  const { message } = error;
  // What the script made says what it says.
  if (error.type !== undefined) return { text: message, message, type: error.type };
  const as = (text: string, type = "Error"): Trace => ({ text, type, message: text });
  let match = /^(\S+) is not defined$/.exec(message);
  if (match) return as(`"${match[1]}" is not defined`, "ReferenceError");
  match = /^Cannot (?:read|set) properties of (undefined|null) \((?:reading|setting) '(.*)'\)$/.exec(message);
  if (match) return as(`Can't read property '${match[2]}' of ${match[1]}`);
  match = /^(.*) is not a function(?: or its return value is not iterable)?$/.exec(message);
  if (match && /^\s*at Array\.\w+ \(<anonymous>\)/m.test(error.stack ?? "")) return as("First argument must be a function");
  if (match) {
    const name = /([A-Za-z_$][\w$]*)$/.exec(match[1]!.replace(/^\(intermediate value\)\./, ""))?.[1];
    if (name === "undefined") return as("Function not found!");
    if (name && name !== "null" && top) return as(`Function "${name}" not found!`);
    return as(`Expecting function, got ${literalType(match[1]!)}`);
  }
  match = /^(.*) is not a constructor$/.exec(message);
  if (match) return as(`Constructor should be a function, but is ${literalType(match[1]!)}`);
  if (message === "Assignment to constant variable.") return as("Assignment to a constant", "TypeError");
  if (message.startsWith("Reduce of empty array")) return as("Used on empty array with no initial value");
  match = /^Cannot access '(.+)' before initialization$/.exec(message);
  if (match) return as(`"${match[1]}" is not defined`, "ReferenceError");
  if (message.startsWith("Invalid count value")) return as("Invalid count value");
  if (/^Maximum call stack/.test(message)) return as("Too much recursion - the stack is about to overflow");
  return { text: message, message, type: realm.errorClass(error) };
}

function literalType(text: string): string {
  if (/^-?[\d.]/.test(text)) return "Number";
  if (/^["']/.test(text)) return "String";
  return text === "null" || text === "undefined" ? text : "Object";
}

/** Where the script stood when it was thrown out. */
export function abortStack(error: Error, names: ScriptNames): string {
  return stackText(framesOf(error.stack ?? ""), undefined, names);
}

function stackText(frames: Frame[], trace: Trace | undefined, names: ScriptNames): string {
  let text = "";
  frames.forEach((frame, i) => {
    text += frameText(frame, i === 0 ? trace : undefined, i === frames.length - 1, names);
  });
  return text;
}

/** `    at f (:1:3)`, the line, and a caret. A function in RAM counts from its own body, because that is all the interpreter has kept of it. */
function frameText(frame: Frame, top: Trace | undefined, last: boolean, names: ScriptNames): string {
  const text = frame.script.source;
  const path = pathTo(parseSource(text), frame.offset);
  const offset = tokenOffset(text, path, frame.offset, top);
  const owner = path.findLast((node) => /Function/.test(node.type));
  let from = 0;
  let to = text.length;
  if (owner) {
    const body = owner.body as AnyNode;
    const block = body.type === "BlockStatement";
    const whole = text.slice(block ? body.start + 1 : body.start, block ? body.end - 1 : body.end);
    const lead = /^\s*(return\b\s*)?/.exec(whole)![0].length;
    from = (block ? body.start + 1 : body.start) + lead;
    to = from + whole.slice(lead).trimEnd().length;
  }
  // What lies in Storage counts from the beginning of its file, in bytes of the file.
  const file = names.fileOf(text);
  const { stored, storedOffset } = file?.code ?? { stored: text, storedOffset: (place: number) => place };
  const source = stored.slice(storedOffset(from), storedOffset(to));
  const at = Math.max(0, storedOffset(offset) - storedOffset(from));
  const inText = lineAndColumn(source, at);
  const shown = file === undefined ? inText : lineAndColumn(stored, storedOffset(offset));
  const place = `${file?.name ?? ""}:${shown.line}:${shown.column}`;
  // What the interpreter calls back has no name.
  const name = owner ? (last ? undefined : frame.name || functionText(text, owner).slice(0, LONGEST_NAME)) : names.root;
  return `    at ${name ? `${name} (${place})` : place}\n` + markedLine(source, at, inText.column);
}

/** The interpreter cuts names to 63 characters. */
const LONGEST_NAME = 63;

/** A function without a name is called by its text. */
function functionText(source: string, owner: AnyNode): string {
  const parameters = (owner.params as AnyNode[]).map((one) => source.slice(one.start, one.end)).join();
  const body = owner.body as AnyNode;
  if (body.type !== "BlockStatement") return `function (${parameters}) {return ${source.slice(body.start, body.end)}}`;
  const text = source.slice(body.start + 1, body.end - 1).trim();
  const lines = text.includes("\n");
  return `function (${parameters}) {${lines ? "\n  " : ""}${text}${lines ? "\n" : ""}}`;
}

/** The line with a caret below; long lines are cut around the place, and tokens count as one. Source: jslPrintTokenLineMarker, src/jslex.c. */
export function markedLine(source: string, at: number, column: number): string {
  const start = source.lastIndexOf("\n", at - 1) + 1;
  const end = source.indexOf("\n", start);
  let line = source.slice(start, end < 0 ? source.length : end);
  let lead = "";
  let caret = column;
  if (line.length > 60 && at - start > 30) {
    const skip = at - start - 30;
    lead = "...";
    line = line.slice(skip);
    caret += 3 - skip;
  }
  const long = line.length >= 60;
  return lead + (long ? spelt(line.slice(0, 60)) + "..." : spelt(line)) + "\n" + " ".repeat(Math.max(0, caret - 1)) + "^\n";
}

function pathTo(program: AnyNode, offset: number): AnyNode[] {
  const path = [program];
  for (let node: AnyNode | undefined = program; node; ) {
    node = children(node).find((child) => child.start <= offset && offset < child.end);
    if (node) path.push(node);
  }
  return path;
}

/** The interpreter points at the last token it has read: the closing bracket of a call, the dot before a property, the name itself. */
function tokenOffset(source: string, path: AnyNode[], offset: number, top: Trace | undefined): number {
  if (top && /^Can't read property/.test(top.text)) {
    const dot = source.lastIndexOf(".", offset);
    return dot >= 0 ? dot : offset;
  }
  const unknown = top && /^"(.+)" is not defined$/.exec(top.text)?.[1];
  // V8 tells the statement, or the expression; the name follows.
  if (unknown) {
    const holder = path.findLast((node) => firstUse(node, unknown, offset) !== undefined);
    return holder ? firstUse(holder, unknown, offset)! : offset;
  }
  const call = path.findLast((node) => {
    if (node.type !== "CallExpression" && node.type !== "NewExpression") return false;
    const callee = node.callee as AnyNode;
    const property = callee.type === "MemberExpression" ? (callee.property as AnyNode).start : callee.start;
    return offset === property || offset === node.start || node === path.at(-1);
  });
  if (top && /not found!$|not defined$|^Expecting function|^Constructor should/.test(top.text)) {
    const plain = call && (call.callee as AnyNode).type !== "MemberExpression" && (call.type === "NewExpression" || /^Expecting/.test(top.text));
    return plain ? (call.callee as AnyNode).start : offset;
  }
  return call ? call.end - 1 : offset;
}

export function isSyntaxError(error: unknown): error is SyntaxError & { pos: number } {
  return error instanceof SyntaxError && typeof (error as { pos?: unknown }).pos === "number";
}

/** Puts the interpreter's stack text in place of V8's. */
export function withStack(error: Error, stack: string): Error {
  Object.defineProperty(error, "stack", { value: stack, enumerable: true, configurable: true, writable: true });
  return error;
}

function firstUse(node: AnyNode, name: string, from: number): number | undefined {
  if (node.type === "Identifier" && node.name === name && node.start >= from) return node.start;
  for (const child of children(node)) {
    const found = firstUse(child, name, from);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A line that isn't JavaScript, in the interpreter's words. `position` is acorn's. */
export function syntaxTrace(source: string, message: string, position: number, names: ScriptNames): { message: string; stack: string } {
  const plain = message.replace(/ \(\d+:\d+\)$/, "");
  const atEnd = source.slice(position).trim() === "";
  let at = position;
  let words: string;
  if (/Unterminated string/.test(plain)) words = "Got UNFINISHED STRING expected EOF";
  else if (atEnd) {
    words = "Unexpected end of Input";
    at = source.length;
  } else if (/'return' outside/.test(plain)) {
    words = "RETURN statement, but not in a function.";
    at += 7;
  } else {
    const token = /^(?:[A-Za-z_$][\w$]*|\d+|.)/.exec(source.slice(position))?.[0] ?? "";
    words = `Got ${/^\w+$/.test(token) ? token : `'${token}'`} expected EOF`;
  }
  const file = names.fileOf(source);
  const stored = file?.code.stored ?? source;
  const storedAt = file?.code.storedOffset(at) ?? at;
  const { line, column } = lineAndColumn(stored, storedAt);
  const place = `${file?.name ?? ""}:${line}:${column}`;
  return { message: words, stack: `    at ${names.root ? `${names.root} (${place})` : place}\n` + markedLine(stored, storedAt, column) };
}

/** Both from 1. */
function lineAndColumn(source: string, offset: number): { line: number; column: number } {
  const before = source.slice(0, offset);
  return { line: before.split("\n").length, column: offset - (before.lastIndexOf("\n") + 1) + 1 };
}
