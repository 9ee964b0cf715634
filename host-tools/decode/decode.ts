import { classify } from "../../protocols/classify.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { explainAdvertisement, isWellFormed } from "./advertisement.ts";
import { type Explanation, FieldReader } from "./explanation.ts";
import { VALUE_KINDS } from "./values.ts";

export const ADVERTISEMENT = "advertisement";
/** Longer than anything that is decoded, and short enough for a screen. */
const MOST_BYTES = 2048;

/**
 * Bytes of hexadecimal digits; blanks, colons and `0x` are left out.
 * @throws FormatError for anything else, with its place.
 */
export function parseHex(text: string): Uint8Array {
  const digits = text.replace(/0x|[\s:]/gi, "");
  const wrong = digits.search(/[^0-9a-f]/i);
  if (wrong >= 0)
    throw new FormatError(
      "bad_hex",
      `not a hexadecimal digit: ${JSON.stringify(digits[wrong])}, digit ${wrong + 1}; two digits a byte, blanks and colons allowed`,
    );
  if (digits.length % 2 === 1) throw new FormatError("bad_hex", `${digits.length} digits: two a byte, so one is missing or too many`);
  if (digits.length > 2 * MOST_BYTES)
    throw new FormatError("bad_hex", `${digits.length / 2} bytes: at most ${MOST_BYTES}; files have commands of their own`);
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

function explainValue(name: string, bytes: Uint8Array, note?: string): Explanation {
  const kind = VALUE_KINDS[name];
  if (!kind.hasLength(bytes.length)) throw new FormatError("bad_length", `${name}: ${kind.lengths}, got ${bytes.length}`);
  const reader = new FieldReader(bytes);
  kind.read(reader);
  return { what: name, title: kind.title, length: bytes.length, fields: reader.fields, notes: note ? [note, ...kind.notes] : kind.notes };
}

/**
 * Explains bytes. `as`: `advertisement`, a name of VALUE_KINDS, or `undefined`: what claims or tells itself first, then what the length leaves.
 * @throws ConfigError for an unknown `as`; FormatError for bytes that are not what `as` says, or that nothing tells.
 */
export function decode(bytes: Uint8Array, as?: string): Explanation {
  const names = Object.keys(VALUE_KINDS);
  if (as === ADVERTISEMENT) return explainAdvertisement(bytes);
  if (as !== undefined) {
    if (!names.includes(as)) throw new ConfigError("usage", `--as ${as}: unknown; one of ${[ADVERTISEMENT, ...names].join(", ")}`);
    return explainValue(as, bytes);
  }
  if (classify(bytes)) return explainAdvertisement(bytes);
  const fitting = names.filter((name) => VALUE_KINDS[name].hasLength(bytes.length));
  const certain = fitting.find((name) => VALUE_KINDS[name].tellsItself?.(bytes));
  if (certain) return explainValue(certain, bytes);
  if (isWellFormed(bytes)) return explainAdvertisement(bytes);
  const possible = fitting.filter((name) => !VALUE_KINDS[name].tellsItself);
  if (possible.length === 1) return explainValue(possible[0], bytes, `taken for this by its length alone; --as says otherwise`);
  const choice =
    possible.length > 1
      ? `it may be ${possible.join(" or ")}: say which with --as`
      : "no advertising data and no length that is known; --as advertisement shows what is whole of it";
  throw new FormatError("unknown_bytes", `${bytes.length} ${bytes.length === 1 ? "byte" : "bytes"} that nothing tells: ${choice}`);
}
