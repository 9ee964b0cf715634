import { checkDialect } from "../generator/dialect.ts";

/** Syntax of JavaScript that the interpreter can't read, and the characters at which it stops. */
const STOPS_AT: { [feature: string]: RegExp } = {
  destructuring: /[[{]/,
  spread: /\./,
  "rest-parameter": /\./,
  "default-parameter": /=/,
  "optional-chaining": /\?\./,
  generator: /[*]|yield/,
  async: /async|await/,
  "module-syntax": /import|export/,
  label: /:/,
  with: /with/,
  "tagged-template": /`/,
  "private-name": /#/,
  "static-block": /\{/,
  exponent: /[*]/,
  "logical-assignment": /[?|&]/,
  "new-target": /\./,
  "computed-key": /\[/,
  "field-without-value": /;/,
  bigint: /n/,
  "unicode-escape": /\\u/,
  "reserved-name": /of|static/,
  "method-name": /\w/,
  "super-in-arrow": /super/,
  "return-at-end": /\}/,
};

/** The interpreter can't read this text. `pos` is where it stops, counted from 0. */
export class RefusedSyntax extends SyntaxError {
  constructor(
    message: string,
    readonly pos: number,
  ) {
    super(message);
  }
}

const passed = new Set<string>();
const PASSED_LIMIT = 400;

/**
 * Throws RefusedSyntax for text that V8 runs and the interpreter doesn't. Texts that have passed are remembered. What is wrong by JavaScript's
 * own rules passes too: the parser says it better.
 */
export function refusalOf(source: string): void {
  if (passed.has(source)) return;
  for (const finding of checkDialect(source)) {
    const stop = STOPS_AT[finding.feature];
    if (!stop) continue;
    const lines = source.split("\n");
    const start = lines.slice(0, finding.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + finding.column;
    const found = source.slice(start).search(stop);
    throw new RefusedSyntax(finding.message, found < 0 ? start : start + found + (finding.feature === "exponent" ? 1 : 0));
  }
  if (passed.size >= PASSED_LIMIT) passed.clear();
  passed.add(source);
}
