import { parse } from "acorn";
import { walk } from "./dialect/syntax-tree.ts";

// The interpreter reads a reserved word or an operator as one byte as well as spelt out, and keeps scripts so itself when it is told to
// (`E.setFlags({pretokenise:1})`). Later releases know texts and numbers in a form of their own too; none of ours is long enough to gain by it.

/** The bytes from 138 on, in order. Source: Espruino, src/jslex.h; the same in every release from 2v00 to 2v29. */
const FIRST = 138;
const OPERATORS = "== === != !== <= << <<= >= >> >>> >>= >>>= += -= ++ -- *= /= %= &= && |= || ^= =>".split(" ");
const WORDS = (
  "if else do while for break continue function return var let const this throw try catch finally true false null undefined new in instanceof " +
  "switch case default delete typeof void debugger class extends super static of"
).split(" ");
const TOKENS = [...OPERATORS, ...WORDS];
const FIRST_WORD = FIRST + OPERATORS.length;
const LAST = FIRST + TOKENS.length - 1;
const BYTES = new Map(TOKENS.map((token, i) => [token, String.fromCharCode(FIRST + i)]));
/** Words of the interpreter that are names everywhere else; a bundle has none that is meant as a word. */
const NAMES_ELSEWHERE = new Set(["undefined", "static", "of"]);
const ANY_TOKEN = `\\x${FIRST.toString(16)}-\\x${LAST.toString(16)}`;
const HAS_TOKENS = new RegExp(`[${ANY_TOKEN}]`);

/** A script as it is kept and as JavaScript. */
export interface TokenisedCode {
  /** One byte a character; reserved words and operators of several characters are one byte each. */
  readonly stored: string;
  readonly text: string;
  /** Where a place of the text is kept. Both are counted from 0. */
  storedOffset(textOffset: number): number;
}

/**
 * Makes one byte of each reserved word and operator: a sixth less flash, and less to read whenever the code runs. Names of properties and templates stay as they are.
 * `code`: a minified script.
 * @throws acorn's SyntaxError
 */
export function tokenise(code: string): string {
  const spelled = new Set<number>();
  const tokens: { start: number; end: number }[] = [];
  // names of properties and methods; and all of a template, which the interpreter keeps as a text until it comes to it
  walk(parse(code, { ecmaVersion: 2022, onToken: (token) => tokens.push(token) }), (node) => {
    if (node.type === "TemplateLiteral") for (let place = node.start; place < node.end; place++) spelled.add(place);
    if (node.type === "MemberExpression" && !node.computed) spelled.add(node.property.start);
    if ((node.type === "Property" || node.type === "MethodDefinition") && !node.computed) spelled.add(node.key.start);
  });
  let stored = "";
  let end = 0;
  for (const token of tokens) {
    const text = code.slice(token.start, token.end);
    const byte = spelled.has(token.start) || NAMES_ELSEWHERE.has(text) ? undefined : BYTES.get(text);
    // what is a byte of its own needs nothing to keep it apart
    if (token.start > end && byte === undefined && !isToken(stored.charCodeAt(stored.length - 1))) stored += code.slice(end, token.start);
    stored += byte ?? text;
    end = token.end;
  }
  return stored;
}

function isToken(byte: number): boolean {
  return byte >= FIRST && byte <= LAST;
}

/** What holds bytes that are no tokens: a text (if it does not end, up to the end), a comment, a regular expression where a value may begin. Else one character. */
const PIECE = new RegExp(
  [
    /"(?:\\[\s\S]|[^"\\])*"?|'(?:\\[\s\S]|[^'\\])*'?|`(?:\\[\s\S]|[^`\\])*`?/,
    /\/\/[^\n]*|\/\*[\s\S]*?\*\//,
    new RegExp(`(?<=(?:^|[(,=:[!&|?{};+${ANY_TOKEN}])\\s*)/(?:\\\\.|\\[(?:\\\\.|[^\\]])*\\]|[^/\\n])+/`),
    /[\s\S]/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);
const NAME = /[\w$]/;

/** Reads code as the interpreter's lexer does: with its tokens, which stand for themselves in strings and comments. */
export function readTokens(stored: string): TokenisedCode {
  if (!HAS_TOKENS.test(stored)) return { stored, text: stored, storedOffset: (offset) => offset };
  let text = "";
  /** Where the text is longer than what is kept: end of the token there, and so many characters more up to here. */
  const longer: { end: number; by: number }[] = [];
  let by = 0;
  let last = 0;
  for (const [piece] of stored.matchAll(PIECE)) {
    const byte = piece.charCodeAt(0);
    const token = piece.length === 1 && isToken(byte) ? TOKENS[byte - FIRST]! : undefined;
    const before = text.at(-1) ?? "";
    // `a+ ++b` is kept without the blank
    const wouldJoin = token !== undefined && /[+-]/.test(before) && token.startsWith(before);
    const apart = (isWord(last) && (isWord(byte) || NAME.test(piece[0]!))) || (isWord(byte) && NAME.test(before)) || wouldJoin;
    const added = (apart ? " " : "") + (token ?? piece);
    text += added;
    if (added.length > piece.length) {
      by += added.length - piece.length;
      longer.push({ end: text.length, by });
    }
    last = byte;
  }
  const storedOffset = (offset: number) => {
    const at = longer.findLastIndex(({ end }) => end <= offset);
    const before = at < 0 ? 0 : longer[at]!.by;
    const next = longer[at + 1];
    // within the text of a token: its one byte
    return Math.min(offset - before, next ? next.end - next.by - 1 : Number.POSITIVE_INFINITY);
  };
  return { stored, text, storedOffset };
}

/** A piece of kept code for a person, as the interpreter prints it: a token in a text is spelt out as well. */
export function spelt(stored: string): string {
  if (!HAS_TOKENS.test(stored)) return stored;
  let text = "";
  let last = 0;
  for (const character of stored) {
    const byte = character.charCodeAt(0);
    const apart = (isWord(last) && (isWord(byte) || PRINTED_NAME.test(character))) || (isWord(byte) && PRINTED_NAME.test(String.fromCharCode(last)));
    text += (apart ? " " : "") + (isToken(byte) ? TOKENS[byte - FIRST] : character);
    last = byte;
  }
  return text;
}

const PRINTED_NAME = /\w/;

function isWord(byte: number): boolean {
  return byte >= FIRST_WORD && byte <= LAST;
}
