import { getLineInfo } from "acorn";
import { findKinds } from "./dialect/kinds.ts";
import { checkLiterals } from "./dialect/literals.ts";
import { checkNames } from "./dialect/names.ts";
import { checkOrder } from "./dialect/order.ts";
import { findScopes } from "./dialect/scopes.ts";
import { checkSyntax } from "./dialect/syntax.ts";
import { parseProgram, type Report } from "./dialect/syntax-tree.ts";

/** A place in the code that the interpreter refuses, or takes for something else than JavaScript does. */
export interface Finding {
  /** From 1. */
  line: number;
  /** From 0. */
  column: number;
  /** What was used; kebab-case, stable. */
  feature: string;
  /** What happens there, and what to write instead. */
  message: string;
}

export interface DialectOptions {
  /** Does the board's interpreter have Unicode? Default no: strings are bytes. */
  unicode?: boolean;
}

/**
 * The gate: what in `code` Espruino 2v29 would refuse or silently take otherwise, as far as that shows without running it. Sorted by place; empty: nothing found.
 * Every finding is one too many: each rule has a way to write it that passes.
 */
export function checkDialect(code: string, options: DialectOptions = {}): Finding[] {
  const findings: Finding[] = [];
  const told = new Set<string>();
  const report: Report = (at, feature, message) => {
    const offset = typeof at === "number" ? at : at.start;
    const { line, column } = getLineInfo(code, offset);
    const key = `${offset} ${feature} ${message}`;
    if (!told.has(key)) findings.push({ line, column, feature, message });
    told.add(key);
  };
  const tree = parseProgram(code);
  if ("message" in tree) {
    report(tree.offset, "syntax", tree.message);
    return findings;
  }
  const scopes = findScopes(tree);
  const kinds = findKinds(scopes);
  const unicode = options.unicode ?? false;
  checkSyntax(tree, scopes, kinds, report);
  checkNames(tree, scopes, kinds, unicode, report);
  checkLiterals(tree, kinds, unicode, report);
  checkOrder(tree, scopes, kinds, report);
  return findings.sort((a, b) => a.line - b.line || a.column - b.column);
}
