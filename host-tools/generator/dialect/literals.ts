import type { AnyNode } from "acorn";
import type { Kinds } from "./kinds.ts";
import { isFunction, propertyName, type Report, type SyntaxTree, walk } from "./syntax-tree.ts";

type Call = Extract<AnyNode, { type: "CallExpression" | "NewExpression" }>;

/** Literals and calls that the interpreter takes otherwise than the standard, silently. */
export function checkLiterals(tree: SyntaxTree, kinds: Kinds, unicode: boolean, report: Report): void {
  walk(tree.program, (node) => {
    if (node.type === "Literal") {
      if (node.regex) checkPattern(node, node.regex.pattern, node.regex.flags, report);
      else if (typeof node.value === "string") checkText(node, node.value, node.raw ?? "", unicode, report);
      else if (node.bigint) report(node, "bigint", "there are no bigints; use two 32-bit halves");
      else if (typeof node.value === "number" && node.value >= 2 ** 63 && /^[\d_]+$|^0[xob]/i.test(node.raw ?? "")) {
        report(node, "large-integer", "integer literals from 2^63 on wrap; write it with an exponent");
      }
    } else if (node.type === "TemplateElement") {
      checkText(node, node.value.cooked ?? "", node.value.raw, unicode, report);
    } else if (node.type === "UnaryExpression" && node.operator === "-" && node.argument.type === "Literal" && node.argument.value === 0) {
      report(node, "negative-zero", "-0 is 0 here");
    } else if (node.type === "CallExpression" || node.type === "NewExpression") {
      checkCall(node, kinds, report);
    }
  });
}

function checkText(at: AnyNode, value: string, raw: string, unicode: boolean, report: Report): void {
  if (/(^|[^\\])(\\\\)*\\u\{/.test(raw)) report(at, "unicode-escape", "\\u{…} is a syntax error; use \\xNN");
  const foreign = /[^\0-\x7f]/.exec(raw)?.[0];
  if (foreign) report(at, "wide-character", `"${foreign}" is several bytes, and so several characters; write \\xNN`);
  else if (!unicode && /[^\0-\xff]/.test(value)) report(at, "wide-character", "strings are bytes: a character above \\xFF loses its upper half");
}

/** What its matcher lacks makes a pattern fail without a word. */
function checkPattern(at: AnyNode, pattern: string, flags: string, report: Report): void {
  const say = (what: string) => report(at, "regexp", `${what}, so the pattern never matches; use indexOf, split or a loop`);
  const bare = pattern.replace(/\[(\\[\s\S]|[^\]\\])*\]/g, "C");
  if (/[^gi]/.test(flags)) report(at, "regexp", `the flag ${/[^gi]/.exec(flags)?.[0]} is unknown or without effect; g and i are there`);
  if (/\\u/.test(pattern)) say("regular expressions have no \\u");
  if (/(^|[^\\])(\\\\)*\\[bB]/.test(bare)) say("regular expressions have no \\b");
  if (/(^|[^\\])(\\\\)*\\([1-9]|k<)/.test(bare)) report(at, "regexp", "back references throw; compare by hand");
  const plain = bare.replace(/\\[\s\S]/g, "c");
  if (/\(\?/.test(plain)) say("regular expressions have no (?: ), lookaround or named groups");
  if (/\{\d*,?\d*\}/.test(plain)) say("regular expressions have no {n,m}");
  if (/[*+?]\?/.test(plain)) say("regular expressions have no lazy quantifiers");
  if (/\)[*+?]/.test(plain)) say("a group can't be repeated or left out");
  if (plain[0] === "^" && /\|/.test(plain.replace(/\([^()]*\)/g, "G"))) say("^ binds all alternatives");
}

function checkCall(call: Call, kinds: Kinds, report: Report): void {
  const [first, second] = call.arguments;
  const name = kinds.globalName(call.callee);
  const text = (node: AnyNode | undefined) => (node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined);
  if (name === "RegExp" && text(first) !== undefined) checkPattern(call, text(first) as string, text(second) ?? "", report);
  if (name === "Date") checkDate(call, text(first), report);
  if (call.callee.type !== "MemberExpression") return;
  const receiver = kinds.globalName(call.callee.object);
  const method = propertyName(call.callee);
  if (receiver === "Date" && method === "parse") checkDate(call, text(first), report);
  if (receiver === "Math" && method === "pow" && !isExactPower(second)) {
    report(
      call,
      "math-pow",
      "Math.pow is exact for whole exponents 0 to 9 only, written as a number; multiply, or use Math.exp and Math.log where that is meant",
    );
  }
  if (receiver === "String" && method === "fromCharCode") {
    const wide = call.arguments.find((argument) => argument.type === "Literal" && Number(argument.value) > 255);
    if (wide) report(wide, "wide-character", "strings are bytes: a character above 255 loses its upper half");
  }
  if (receiver === "JSON" && method === "stringify" && second && (isFunction(kinds.meaning(second)) || kinds.kindOf(second) === "array")) {
    report(second, "stringify-replacer", "JSON.stringify ignores its replacer");
  }
  if (method === "replace" && kinds.kindOf(first as AnyNode) === "string" && second && isFunction(kinds.meaning(second))) {
    report(call, "replace-function", "with a text to look for, replace inserts the function's source; use a regular expression");
  }
  if (method === "toFixed" && (!first || (first.type === "Literal" && first.value === 0)))
    report(call, "to-fixed", "toFixed(0) cuts instead of rounding; use Math.round");
  if (method === "sort" && first) checkComparator(kinds.meaning(first), report);
}

/** The exponent is a literal whole number from 0 to 9. */
function isExactPower(exponent: AnyNode | undefined): boolean {
  return exponent?.type === "Literal" && typeof exponent.value === "number" && Number.isInteger(exponent.value) && exponent.value <= 9;
}

function checkDate(at: AnyNode, text: string | undefined, report: Report): void {
  if (text === undefined) return;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) report(at, "date-text", "a date without a time is local here, UTC elsewhere; add T00:00:00Z");
  else if (/^\d{4}-\d{2}-\d{2} /.test(text)) report(at, "date-text", "the time behind a space is lost; put a T between date and time");
  else if (Number.isNaN(Date.parse(text))) report(at, "date-text", "what is no date gives 1970 here, not NaN");
}

/** Comparators that answer true or false misorder. */
function checkComparator(comparator: AnyNode, report: Report): void {
  if (!isFunction(comparator)) return;
  const { body } = comparator;
  const answers: (AnyNode | null | undefined)[] = [];
  if (body.type === "BlockStatement") walk(body, (node) => (node.type === "ReturnStatement" ? answers.push(node.argument) : !isFunction(node)));
  else answers.push(body);
  const isBoolean = (node: AnyNode | null | undefined) => node?.type === "BinaryExpression" && /^([<>]=?|[!=]==?)$/.test(node.operator);
  if (answers.some(isBoolean)) report(comparator, "boolean-comparator", "a comparator that answers true or false misorders; answer a difference");
}
