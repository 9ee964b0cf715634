import type { NarrowRealm } from "./narrow-realm.ts";
import { asText, printValue, STRINGIFY } from "./printer.ts";

/** JSON as the interpreter understands it. Source: Espruino 2v29, src/jswrap_json.c. */
export function installJson(realm: NarrowRealm): void {
  realm.define(
    "JSON",
    realm.library({
      stringify: (value: never, _replacer: never, space: never) => stringify(realm, value, space),
      parse: (text: never) => parseJson(realm, asText(realm, text), false),
    }),
  );
}

export function stringify(realm: NarrowRealm, value: unknown, space?: unknown): string {
  const indent = typeof space === "number" ? " ".repeat(Math.max(0, Math.min(10, space))) : typeof space === "string" ? space.slice(0, 9) : "";
  return indent === "" ? printValue(realm, value, STRINGIFY) : printValue(realm, value, { ...STRINGIFY, allLines: true, pretty: true }, indent);
}

const RESERVED = new Set(["undefined", "function", "return", "var", "let", "const", "new", "typeof"]);

const ESCAPES: { [letter: string]: string } = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", a: "\x07" };
const TOKEN =
  /\s*(?:([{}[\]:,-])|("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')|(0x[\da-fA-F]+|\d*\.?\d+(?:[eE][-+]?\d+)?|\d+\.)|([A-Za-z_$][\w$]*)|($)|([\s\S]))/y;

/**
 * Reads JSON with single quotes, trailing commas and whatever follows it; `liberal` also takes bare keys.
 * What can't be read at all gives an exception, what breaks off in the middle undefined, as on the board.
 */
export function parseJson(realm: NarrowRealm, text: string, liberal: boolean): unknown {
  let at = 0;
  let token = "";
  let kind: "mark" | "string" | "number" | "word" | "end" | "other" = "end";
  const next = () => {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    at = TOKEN.lastIndex;
    if (!match || match[5] !== undefined) [kind, token] = ["end", ""];
    else if (match[1] !== undefined) [kind, token] = ["mark", match[1]];
    else if (match[2] !== undefined) [kind, token] = ["string", unescapeText(match[2].slice(1, -1))];
    else if (match[3] !== undefined) [kind, token] = ["number", match[3]];
    else if (match[4] !== undefined) [kind, token] = ["word", match[4]];
    else [kind, token] = ["other", match[6]!];
  };
  const is = (mark: string): boolean => kind === "mark" && token === mark;
  const among = (...kinds: (typeof kind)[]): boolean => kinds.includes(kind);
  const expect = (mark: string): void => {
    if (!is(mark)) throw realm.error(`Got ${describe()} expected '${mark}'`, "SyntaxError");
    next();
  };
  const describe = () =>
    kind === "end"
      ? "EOF"
      : kind === "mark" || kind === "other"
        ? `'${token}'`
        : kind === "string"
          ? "STRING"
          : kind === "number"
            ? "INT"
            : RESERVED.has(token)
              ? token
              : `ID:${token}`;
  const value = (): unknown => {
    if (kind === "word" && ["true", "false", "null"].includes(token)) {
      const word = token;
      next();
      return word === "null" ? null : word === "true";
    }
    if (kind === "string" || kind === "number") {
      const read: unknown = kind === "string" ? token : Number(token);
      next();
      return read;
    }
    if (is("-")) {
      next();
      return -(value() as number);
    }
    if (is("[")) {
      const items: unknown[] = [];
      next();
      while (!is("]")) {
        items.push(value());
        if (!is("]")) expect(",");
      }
      next();
      return realm.array(items);
    }
    if (is("{")) {
      const object = realm.object({});
      next();
      while (!is("}")) {
        if (!liberal && among("word", "number")) throw realm.error(`Got ${describe()} expected STRING`, "SyntaxError");
        if (!among("string", "word", "number")) expect("}");
        const key = token;
        next();
        expect(":");
        object[key] = value();
        if (!is("}")) expect(",");
      }
      next();
      return object;
    }
    throw realm.error(`Expecting valid value, got ${describe()}`, "SyntaxError");
  };
  next();
  return value();
}

function unescapeText(text: string): string {
  return text.replace(/\\(?:u([\da-fA-F]{4})|x([\da-fA-F]{2})|([0-7]{1,3})|([\s\S]))/g, (_all, unicode, hex, octal, letter) => {
    const code = unicode ?? hex;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16) & 255);
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 255);
    return ESCAPES[letter] ?? letter;
  });
}
