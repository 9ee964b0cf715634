import vm from "node:vm";
import { type Node, parse, parseExpressionAt } from "acorn";

interface Edit {
  at: number;
  remove: number;
  insert: string;
}

/** What catch clauses of the translated script call first; see errors.ts. */
export const CATCH_HOOK = "$caught";
/** What the argument of `eval` goes through, so that the text inside is translated too. */
export const EVAL_HOOK = "$text";

/** What is assigned to a name that the script doesn't declare goes through it: what the interpreter brings can't be replaced by its bare name. */
export const ASSIGN_HOOK = "$assigned";

/** A file is loaded once into a fresh realm; what the console gets may come again and again. */
export type ScriptKind = "file" | "console";

/**
 * Where V8 and the interpreter run the same text differently, the text is changed before V8 sees it. Source: Espruino 2v29, found by running both.
 * - functions are not hoisted: `function f(){}` becomes `var f=function(){}` where it stands
 * - what is declared at the top of a script outlives it, may be declared again and be assigned to: it becomes `var`, in a file `let`, which V8
 *   keeps at hand forty times as fast
 * - `for (let …)` has one variable for all turns
 * - characters above 255 in a string literal are cut to a byte, a line break behind a backslash stays in it; a regular expression that the
 *   interpreter can't follow never matches
 * - `return` goes on to the next line
 * - "use strict" means nothing
 * - text that is evaluated in a function is translated in its turn
 * - a catch clause can't stop an abort (out of memory, power cut) and sees the interpreter's messages: a hook runs first
 * - the value of a script is its last expression or the last variable it declares; of other statements it is undefined
 * Places in the translated text are mapped back, so that error messages name places in the real one.
 */
export class Translation {
  readonly code: string;
  private readonly edits: Edit[];
  private compiled: vm.Script | undefined;

  constructor(
    readonly source: string,
    readonly id: string,
    kind: ScriptKind,
    assigned: ReadonlySet<string> = new Set(),
  ) {
    const edits = editsFor(source, parseSource(source), kind, assigned);
    edits.sort((a, b) => a.at - b.at);
    let code = "";
    let from = 0;
    for (const edit of edits) {
      code += source.slice(from, edit.at) + edit.insert;
      from = edit.at + edit.remove;
    }
    this.code = code + source.slice(from);
    this.edits = edits;
  }

  get script(): vm.Script {
    this.compiled ??= new vm.Script(this.code, { filename: this.id });
    return this.compiled;
  }

  /** Offset in the source of V8's line and column (both from 1) in the translated text. */
  sourceOffset(line: number, column: number): number {
    let offset = column - 1;
    for (let start = 0, n = 1; n < line; n++) {
      start = this.code.indexOf("\n", start) + 1;
      if (n === line - 1) offset += start;
    }
    let shift = 0;
    for (const edit of this.edits) {
      if (edit.at + shift + edit.insert.length > offset) return Math.min(edit.at, offset - shift < edit.at ? offset - shift : edit.at);
      shift += edit.insert.length - edit.remove;
    }
    return offset - shift;
  }
}

export type AnyNode = Node & { [key: string]: unknown };

const ACORN = { ecmaVersion: 2022, sourceType: "script", allowReturnOutsideFunction: false } as const;

export function parseSource(source: string): AnyNode {
  return parse(source, ACORN) as unknown as AnyNode;
}

export function children(node: AnyNode): AnyNode[] {
  const out: AnyNode[] = [];
  for (const key in node) {
    if (key === "type" || key === "start" || key === "end") continue;
    const value = node[key];
    if (Array.isArray(value)) {
      for (const item of value) if (item && typeof item === "object" && "type" in item) out.push(item as AnyNode);
    } else if (value && typeof value === "object" && "type" in value) out.push(value as AnyNode);
  }
  return out;
}

function containsFunction(node: AnyNode): boolean {
  return node.type.includes("Function") || node.type === "MethodDefinition" || children(node).some(containsFunction);
}

/** Every name that is declared somewhere in a script, in whatever scope. */
function declaredNames(node: AnyNode, names = new Set<string>()): Set<string> {
  const add = (id: unknown) => {
    const { type, name } = (id ?? {}) as AnyNode;
    if (type === "Identifier") names.add(String(name));
  };
  if (node.type === "VariableDeclarator" || node.type === "ClassDeclaration") add(node.id);
  if (node.type === "CatchClause") add(node.param);
  if (node.type.includes("Function")) for (const id of [node.id, ...(node.params as AnyNode[])]) add(id);
  for (const child of children(node)) declaredNames(child, names);
  return names;
}

/** Parts of a pattern that the interpreter takes for plain characters; classes are left out before. */
const BEYOND_REGEX = /\{\d|(^|[^\\])\?|\\[bB]/;
const REGEX_CLASS = /\[(\\.|[^\]])*\]/g;
const NEVER = "/(?!)/";

/** `assigned`: names that V8 won't have declared again at the top. */
function editsFor(source: string, program: AnyNode, kind: ScriptKind, assigned: ReadonlySet<string>): Edit[] {
  const edits: Edit[] = [];
  const keyword = kind === "file" ? "let" : "var";
  const insert = (at: number, text: string, remove = 0) => edits.push({ at, remove, insert: text });
  const declared = declaredNames(program);
  const visit = (node: AnyNode): void => {
    switch (node.type) {
      case "FunctionDeclaration": {
        const name = node.id as AnyNode;
        insert(node.start, `var ${source.slice(name.start, name.end)}=`);
        insert(name.start, "", name.end - name.start);
        for (const child of children(node)) visit(child);
        insert(node.end, ";");
        return;
      }
      case "CatchClause": {
        const param = node.param as AnyNode | null;
        const body = node.body as AnyNode;
        if (!param) insert(body.start, "($e)");
        insert(body.start + 1, `${CATCH_HOOK}(${param ? source.slice(param.start, param.end) : "$e"});`);
        break;
      }
      case "ExpressionStatement":
        if (node.directive === "use strict") insert(node.start, '"";', node.end - node.start);
        break;
      case "Program":
      case "BlockStatement": {
        const body = node.body as AnyNode[];
        body.forEach((statement, i) => {
          const next = body[i + 1];
          if (statement.type !== "ReturnStatement" || statement.argument || source[statement.end - 1] === ";") return;
          if (next?.type === "ExpressionStatement") insert(statement.end, " ", next.start - statement.end);
        });
        break;
      }
      case "CallExpression": {
        const callee = node.callee as AnyNode;
        const [text] = node.arguments as AnyNode[];
        if (callee.type === "Identifier" && callee.name === "eval" && text) {
          insert(text.start, `${EVAL_HOOK}(`);
          insert(text.end, ")");
        }
        break;
      }
      case "AssignmentExpression": {
        const { type, name } = node.left as AnyNode;
        const right = node.right as AnyNode;
        if (type === "Identifier" && !declared.has(String(name))) {
          insert(right.start, `${ASSIGN_HOOK}("${name}",(`);
          for (const child of children(node)) visit(child);
          insert(right.end, "))");
          return;
        }
        break;
      }
      case "ForStatement":
      case "ForOfStatement":
      case "ForInStatement":
        visitLoop(node);
        return;
      case "Literal": {
        const regex = node.regex as { pattern: string; flags: string } | undefined;
        if (regex && BEYOND_REGEX.test(regex.pattern.replace(REGEX_CLASS, "[]"))) insert(node.start, NEVER + regex.flags, node.end - node.start);
        else if (typeof node.value === "string") {
          const raw = source.slice(node.start, node.end);
          if (/\\\n/.test(raw)) insert(node.start, raw.replaceAll("\\\n", "\\n"), raw.length);
          else if (/[^\0-\xff]/.test(node.value)) insert(node.start, byteLiteral(node.value), raw.length);
        }
        return;
      }
    }
    for (const child of children(node)) visit(child);
  };
  const visitLoop = (node: AnyNode): void => {
    const head = (node.type === "ForStatement" ? node.init : node.left) as AnyNode | null;
    const shared = head?.type === "VariableDeclaration" && head.kind !== "var" && containsFunction(node);
    if (shared && head) {
      const declared = head.declarations as AnyNode[];
      const text = (child: AnyNode) => source.slice(child.start, child.end);
      if (node.type === "ForStatement") {
        insert(node.start, `{${source.slice(head.start, head.end)};`);
        insert(head.start, "", head.end - head.start);
      } else {
        insert(node.start, `{let ${declared.map((one) => text(one.id as AnyNode)).join()};`);
        insert(head.start, "", (declared[0]!.id as AnyNode).start - head.start);
      }
      for (const child of children(node)) if (child !== head) visit(child);
      insert(node.end, "}");
      return;
    }
    for (const child of children(node)) visit(child);
  };
  /** At the top: functions, classes and variables become variables of the kind's sort, or assignments where V8 has the name already. */
  const declareTop = (statement: AnyNode): void => {
    if (statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration") {
      const id = statement.id as AnyNode;
      const name = source.slice(id.start, id.end);
      insert(statement.start, `${assigned.has(name) ? "" : `${keyword} `}${name}=`);
      if (statement.type === "FunctionDeclaration") insert(id.start, "", id.end - id.start);
      for (const child of children(statement)) visit(child);
      insert(statement.end, ";");
      return;
    }
    if (statement.type === "VariableDeclaration") {
      const declarations = statement.declarations as AnyNode[];
      const names = declarations.map((one) => source.slice((one.id as AnyNode).start, (one.id as AnyNode).end));
      const length = String(statement.kind).length;
      if (names.some((name) => assigned.has(name))) {
        const others = names.filter((name) => !assigned.has(name));
        insert(statement.start, others.length > 0 ? `${keyword} ${others.join()};` : "", length);
        for (const one of declarations) if (!one.init) insert((one.id as AnyNode).end, "=void 0");
      } else insert(statement.start, keyword.padEnd(length), length);
    }
    visit(statement);
  };
  const body = program.body as AnyNode[];
  for (const statement of body) declareTop(statement);
  const last = body.at(-1);
  const value = last && resultOf(source, last);
  if (last && value !== undefined) insert(source.length, `\n;${value}`);
  // The order of pushing decides at equal places; sort() is stable.
  return edits;
}

function resultOf(source: string, last: AnyNode): string | undefined {
  if (last.type === "ExpressionStatement") return undefined;
  if (last.type === "IfStatement" && (last.consequent as AnyNode).type === "ExpressionStatement") return undefined;
  if (last.type === "VariableDeclaration") {
    const id = (last.declarations as AnyNode[]).at(-1)!.id as AnyNode;
    return source.slice(id.start, id.end);
  }
  if (last.type === "FunctionDeclaration" || last.type === "ClassDeclaration") {
    const id = last.id as AnyNode;
    return source.slice(id.start, id.end);
  }
  return "void 0";
}

function byteLiteral(value: string): string {
  let out = '"';
  for (let i = 0; i < value.length; i++) out += "\\x" + (value.charCodeAt(i) & 255).toString(16).padStart(2, "0");
  return out + '"';
}

const CACHE_LIMIT = 400;
const cache = new Map<string, Translation>();
const byId = new Map<string, Translation>();
let counter = 0;

function make(source: string, kind: ScriptKind, assigned?: ReadonlySet<string>): Translation {
  counter += 1;
  return new Translation(source, `espruino-${counter}`, kind, assigned);
}

/** The translation of a source text, made once for all boards. @throws acorn's SyntaxError */
export function translate(source: string, kind: ScriptKind): Translation {
  const key = kind + source;
  const known = cache.get(key);
  if (known) return known;
  const made = make(source, kind);
  if (cache.size >= CACHE_LIMIT) {
    const [oldest] = cache.keys();
    byId.delete(cache.get(oldest!)!.id);
    cache.delete(oldest!);
  }
  cache.set(key, made);
  byId.set(made.id, made);
  return made;
}

const REDECLARED_LIMIT = 100;

/** Runs a script whose top declares what V8 has already: those declarations become assignments. `name` is the first that V8 complained of. */
export function redeclare(source: string, kind: ScriptKind, name: string, run: (script: vm.Script) => unknown): unknown {
  const names = new Set([name]);
  for (let tries = 0; tries < REDECLARED_LIMIT; tries++) {
    const made = make(source, kind, names);
    byId.set(made.id, made);
    try {
      return run(made.script);
    } catch (error) {
      const again = /^Identifier '(.+)' has already been declared$/.exec((error as Error | undefined)?.message ?? "");
      if (!again || names.has(again[1]!)) throw error;
      names.add(again[1]!);
    }
  }
  throw new Error(`${REDECLARED_LIMIT} names declared again`);
}

export function translationById(id: string): Translation | undefined {
  return byId.get(id);
}

/** The first expression of a text, whatever follows it. @throws acorn's SyntaxError */
export function firstExpression(source: string): string {
  const node = parseExpressionAt(source, 0, ACORN);
  return source.slice(node.start, node.end);
}

const PREFIXES_TRIED = 40;

/** The whole statements at the top of a text that end before `position`, where it can't be read on. */
export function statementsBefore(source: string, position: number): string {
  try {
    const hit = (parseSource(source).body as AnyNode[]).find((statement) => position < statement.end);
    return hit ? source.slice(0, hit.start).trimEnd() : "";
  } catch {
    // Not JavaScript at all: the longest beginning that is.
  }
  let end = position;
  for (let tries = 0; tries < PREFIXES_TRIED; tries++) {
    end = Math.max(source.lastIndexOf(";", end - 1), source.lastIndexOf("}", end - 1), source.lastIndexOf("\n", end - 1));
    if (end < 0) return "";
    try {
      parseSource(source.slice(0, end + 1));
      return source.slice(0, end + 1);
    } catch {
      // Within a statement; further back.
    }
  }
  return "";
}
