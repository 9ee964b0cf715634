import { readTokens } from "../generator/tokens.ts";
import type { ErrorFlag } from "./board-core.ts";
import { refusalOf } from "./dialect-gate.ts";
import { PowerCut } from "./flash.ts";
import type { NarrowRealm } from "./narrow-realm.ts";
import { asText } from "./printer.ts";
import { Abort, abortStack, espruinoError, isSyntaxError, type ScriptFile, type ScriptNames, syntaxTrace, withStack } from "./script-errors.ts";
import type { ScriptEvents } from "./script-events.ts";
import { StorageError } from "./storage.ts";
import { firstExpression, type ScriptKind, statementsBefore } from "./translate.ts";

export interface RunnerHost {
  readonly realm: NarrowRealm;
  readonly events: ScriptEvents;
  /** Refuse what the interpreter would refuse? */
  readonly checkDialect: boolean;
  /** The file of Storage that this text lies in. */
  fileOf(text: string): ScriptFile | undefined;
  /** To the console, prompt taken away first. */
  print(text: string): void;
  /** An uncaught error, as printed. */
  uncaught(text: string): void;
  fireE(event: string, ...args: unknown[]): void;
}

/** Runs the script's text and functions, and reports what they throw as the interpreter does. */
export class ScriptRunner {
  /** What the script that runs is called in error messages. */
  private rootName: string | undefined;
  private pending: { error: unknown } | undefined;
  private raised = new Set<ErrorFlag>();
  private unreported = new Set<ErrorFlag>();

  constructor(private readonly host: RunnerHost) {}

  /** The script is gone, its errors with it. */
  clear(): void {
    this.pending = undefined;
    this.raised.clear();
    this.unreported.clear();
  }

  /** Runs text; `name` stands for it in error messages. Undefined when it threw: `checkErrors` tells. What stands before a syntax error is run. */
  execute(script: string, name: string | undefined, kind: ScriptKind = "console"): { value: unknown } | undefined {
    const source = readTokens(script).text;
    this.rootName = name;
    try {
      if (this.host.checkDialect) refusalOf(source);
      return { value: this.host.realm.run(source, kind) };
    } catch (error) {
      if (isSyntaxError(error)) {
        const before = statementsBefore(source, error.pos);
        if (before !== "" && !this.execute(before, name, kind)) return undefined;
      }
      this.thrown(error, source, name);
      return undefined;
    } finally {
      this.rootName = undefined;
    }
  }

  /** Evaluates the first expression of a text, whatever follows it. */
  executeExpression(script: string): { value: unknown } | undefined {
    const source = readTokens(script).text;
    let expression: string;
    try {
      expression = firstExpression(source);
    } catch (error) {
      this.thrown(error, source, undefined);
      return undefined;
    }
    const result = this.execute(/^\s*(?:\{|function\b|class\b)/.test(expression) ? `(${expression})` : expression, undefined);
    // A name alone is looked up when its text has been read to the end: there is no place left to point at.
    if (!result && /^\s*[\w$]+\s*$/.test(expression) && this.host.realm.isError(this.pending?.error)) withStack(this.pending.error, "");
    return result;
  }

  /** Calls a function or evaluates a string of the script, and reports what it throws. False: it was thrown out for want of memory. */
  call(callback: unknown, args: unknown[], self: unknown): boolean {
    try {
      if (typeof callback === "function") (callback as (...all: unknown[]) => unknown).apply(self, args);
      else if (typeof callback === "string") this.host.realm.run(readTokens(callback).text);
    } catch (error) {
      if (error instanceof Abort && error.message !== "") {
        this.host.print(error.message + abortStack(error, this.names(undefined)));
        return false;
      }
      this.thrown(error, typeof callback === "string" ? callback : "", undefined);
    }
    this.checkErrors();
    return true;
  }

  /** Runs something of the board's own; what it throws waits for `checkErrors`. */
  attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.thrown(error instanceof StorageError ? this.host.realm.error(error.message) : error, "", undefined);
    }
  }

  /** First thing in every catch clause of a script. */
  caught(error: unknown): void {
    if (error instanceof Abort || error instanceof PowerCut) throw error;
    espruinoError(this.host.realm, error, this.names(this.rootName));
  }

  names(root: string | undefined): ScriptNames {
    return { root, fileOf: (text) => this.host.fileOf(text) };
  }

  private thrown(error: unknown, source: string, name: string | undefined): void {
    if (error instanceof Abort || error instanceof PowerCut) throw error;
    const { realm } = this.host;
    if (isSyntaxError(error)) {
      const trace = syntaxTrace(source, error.message, error.pos, this.names(name));
      this.pending = { error: withStack(realm.error(trace.message, "SyntaxError"), trace.stack) };
      return;
    }
    espruinoError(realm, error, this.names(name));
    this.pending = { error };
  }

  /** Prints what was thrown and which flags were raised since the last time. Answers the text of an error for `E.setFlags({onErrorSave:1})`. */
  checkErrors(): void {
    const pending = this.pending;
    this.pending = undefined;
    if (pending && !this.handledByScript(pending.error)) {
      const { realm } = this.host;
      const stack = realm.isError(pending.error) ? (pending.error.stack ?? "") : "";
      const text = `Uncaught ${asText(realm, pending.error)}\n${stack}`;
      this.host.print(text);
      this.host.uncaught(text);
    }
    this.reportFlags();
  }

  private handledByScript(error: unknown): boolean {
    const process = this.host.realm.global.process as object;
    const handlers = this.host.events.of(process, "uncaughtException");
    for (const handler of handlers) {
      try {
        handler.call(process, error);
      } catch (second) {
        this.thrown(second, "", undefined);
        return false;
      }
    }
    return handlers.length > 0;
  }

  flag(flag: ErrorFlag): void {
    if (!this.raised.has(flag)) this.unreported.add(flag);
    this.raised.add(flag);
  }

  /** Reads the flags and lowers them. */
  takeFlags(): ErrorFlag[] {
    const flags = [...this.raised];
    this.raised.clear();
    return flags;
  }

  reportFlags(): void {
    if (this.unreported.size === 0) return;
    const names = [...this.unreported];
    this.unreported.clear();
    this.host.fireE("errorFlag", this.host.realm.array(names));
    this.host.print(`New interpreter error: ${names.join()}\n`);
  }
}
