// What two devices tell each other through the characteristic: JSON in UTF-8, at most 512 bytes. Source: opentrace-android and opentrace-ios; BlueTrace white paper.
// peripheral, when read:   {"id":TempID,"mp":model,"o":health authority,"v":2}
// central, when it writes: {"id":TempID,"mc":model,"rs":RSSI,"o":health authority,"v":2}
// The white paper writes md for the model, rc for the RSSI and numbers as text: read, never sent.
//
// Read by hand rather than by the interpreter's JSON.parse, which takes what is no JSON, differs from a hub's, and would fill the memory with nested brackets from the air.

/** Most bytes of a packet, characters of an identifier, characters of our own model (BT-12). */
export const MOST_PACKET_BYTES = 512;
export const MOST_ID_CHARACTERS = 256;
export const MOST_MODEL_CHARACTERS = 32;
const VERSION = 2;
const MIN_RSSI = -127;
const MAX_RSSI = 20;
const BLANKS = " \t\r\n";
// the interpreter compares signed bytes: a range across 7F would be empty
const CONTROL = /[^ -~\x7f\x80-\xff]/;

export interface Packet {
  /** The peer's TempID, 1 to 256 characters, without blanks. */
  id: string;
  /** Empty if it isn't told. */
  model: string;
  /** The health authority that made the TempID. */
  org: string;
  v: number;
  /** dBm, as a central received the peripheral it writes to; a peripheral sends none. */
  rssi: number | undefined;
}

/** ASCII that needs no escape in JSON, at most `most` characters: what we send as model and health authority. */
export function isPlainText(text: string, most: number): boolean {
  for (let i = 0; i < text.length; i++) if (text[i] < " " || text[i] > "~" || text[i] === '"' || text[i] === "\\") return false;
  return text.length > 0 && text.length <= most;
}

/** The packet to send, exactly as OpenTrace's phones order it, of texts that need no escape and are not too long. `rssi`: dBm for a central, undefined for a peripheral. */
export function packetText(id: string, model: string, org: string, rssi?: number): string {
  const reading = rssi === undefined ? '","mp":"' + model + '"' : '","mc":"' + model + '","rs":' + rssi;
  return '{"id":"' + id + reading + ',"o":"' + org + '","v":' + VERSION + "}";
}

/**
 * The same for any texts.
 * @throws Error for a model or health authority that is not plain ASCII, or too long. The message names neither of them, nor the TempID.
 */
export function encodePacket(id: string, model: string, org: string, rssi?: number): string {
  if (!isPlainText(model, MOST_MODEL_CHARACTERS)) throw new Error("model: 1 to 32 ASCII characters without quotes and backslashes");
  if (!isPlainText(id, MOST_ID_CHARACTERS) || !isPlainText(org, 64)) throw new Error("id, org: up to 256 and 64 ASCII characters");
  return packetText(id, model, org, rssi);
}

/** Behind the string that opens at `at`; 0 if nothing closes it. */
function stringEnd(text: string, at: number): number {
  for (;;) {
    const quote = text.indexOf('"', at + 1);
    const backslash = text.indexOf("\\", at + 1);
    if (backslash < 0 || quote < backslash) return quote + 1;
    at = backslash + 1;
  }
}

/** Behind the value that begins at `at`; 0 if it doesn't end. What nested arrays and objects hold is passed over unread. */
function valueEnd(text: string, at: number): number {
  if (text[at] === '"') return stringEnd(text, at);
  let depth = 0;
  while (at < text.length) {
    if (text[at] === '"') {
      if (!depth) return 0;
      at = stringEnd(text, at);
      if (!at) return 0;
      continue;
    }
    if ("[{".indexOf(text[at]) >= 0) depth++;
    else if (depth) {
      if ("]}".indexOf(text[at]) >= 0 && !--depth) return at + 1;
    } else if (",}".indexOf(text[at]) >= 0 || BLANKS.indexOf(text[at]) >= 0) return at;
    at++;
  }
  return 0;
}

function skipBlanks(text: string, at: number): number {
  while (at < text.length && BLANKS.indexOf(text[at]) >= 0) at++;
  return at;
}

/** The inside of a string without its escapes; `undefined` if one is none, or if there are raw control characters. An escape for anything but visible ASCII becomes a blank. */
function unescaped(raw: string): string | undefined {
  // a search, not a loop over characters: on a board that is the difference between a millisecond and a fifth of a second
  if (CONTROL.test(raw)) return undefined;
  let text = "";
  let rest = raw;
  for (;;) {
    const at = rest.indexOf("\\");
    if (at < 0) return text + rest;
    const kind = '"\\/bfnrtu'.indexOf(rest[at + 1]);
    if (kind < 0) return undefined;
    let character = kind < 3 ? rest[at + 1] : " ";
    if (kind === 8) {
      const digits = rest.substr(at + 2, 4).toLowerCase();
      const code = parseInt(digits, 16);
      if ((code + 65536).toString(16).substr(1) !== digits) return undefined;
      if (code > 32 && code < 127) character = String.fromCharCode(code);
    }
    text += rest.substr(0, at) + character;
    rest = rest.substr(at + (kind === 8 ? 6 : 2));
  }
}

/** Values of the named fields as they stand in the text, strings with their quotes; the last of a name counts. `undefined` if the text is no object from its first to its last character. */
function readFields(text: string, names: string[]): string[] | undefined {
  const values: string[] = [];
  let at = skipBlanks(text, 0);
  let before = "{";
  while (text[at] === before) {
    at = skipBlanks(text, at + 1);
    const nameEnd = text[at] === '"' ? stringEnd(text, at) : 0;
    if (!nameEnd) return undefined;
    const field = names.indexOf(text.substring(at + 1, nameEnd - 1));
    at = skipBlanks(text, nameEnd);
    if (text[at] !== ":") return undefined;
    at = skipBlanks(text, at + 1);
    const end = valueEnd(text, at);
    if (end <= at) return undefined;
    if (field >= 0) values[field] = text.substring(at, end);
    at = skipBlanks(text, end);
    before = ",";
  }
  return before === "," && text[at] === "}" && skipBlanks(text, at + 1) === text.length ? values : undefined;
}

function stringOf(value: string | undefined): string | undefined {
  return value !== undefined && value[0] === '"' ? unescaped(value.substring(1, value.length - 1)) : undefined;
}

/** An integer in its shortest decimal form, as a number or as a string; NaN for everything else. */
function integerOf(value: string | undefined): number {
  if (value === undefined) return NaN;
  const digits = value[0] === '"' ? value.substring(1, value.length - 1) : value;
  const number = parseInt(digits, 10);
  return "" + number === digits ? number : NaN;
}

/**
 * What a peer's packet says, `undefined` for one that must be rejected: then nothing of it may be stored (BT-05, BT-07).
 * `text`: the packet's bytes, a character each, as the interpreter's strings are. `fromCentral`: it was written to us, so it must tell an RSSI.
 */
export function decodePacket(text: string, fromCentral: boolean): Packet | undefined {
  if (text.length > MOST_PACKET_BYTES) return undefined;
  const fields = readFields(text, ["id", "o", "v", "md", fromCentral ? "mc" : "mp", "rc", "rs"]);
  if (!fields) return undefined;
  const id = stringOf(fields[0]);
  const org = stringOf(fields[1]);
  const v = integerOf(fields[2]);
  const told = fields[4] === undefined ? fields[3] : fields[4];
  const model = told === undefined ? "" : stringOf(told);
  const rssi = fromCentral ? integerOf(fields[6] === undefined ? fields[5] : fields[6]) : 0;
  if (!id || !org || model === undefined || !(v >= VERSION) || !(rssi >= MIN_RSSI && rssi <= MAX_RSSI)) return undefined;
  const compact = id.split(" ").join("");
  if (!compact || compact.length > MOST_ID_CHARACTERS) return undefined;
  return { id: compact, model: model, org: org, v: v, rssi: fromCentral ? rssi : undefined };
}
