// The three files of the Raspberry Pi peer tool (mh-/exposure-notification-ble-python): one line of text to a row and back.
// Fields are separated by ";", lines end with LF, nothing is quoted, hex is lower case. Numbers of the position stay text, so that they come out as they went in.

export type MhKind = "tek_data" | "rx_raw_data" | "rx_data";

/** As the receiver gave them; null where it had no fix (`None` in the file). Degrees, metres, metres a second. */
export interface Position {
  latitude: string | null;
  longitude: string | null;
  altitude: string | null;
  speed: string | null;
}
interface Received {
  rpi: Uint8Array;
  aem: Uint8Array;
  /** `aa:bb:cc:dd:ee:ff`; null where nobody kept it. */
  address: string | null;
  addressType: "random" | "public";
  /** Only where the file has these columns. */
  position?: Position;
}
/** One identifier from first to last sighting; Unix seconds. */
export interface RxDataRow extends Received {
  kind: "rx_data";
  start: number;
  end: number;
  maxRssi: number;
  /** Where another file than the peer tool's tells it. */
  meanRssi?: number;
}
/** One sighting. */
export interface RxRawDataRow extends Received {
  kind: "rx_raw_data";
  time: number;
  rssi: number;
}
/** One own key, used for 144 intervals from `rollingStart` on. */
export interface TekDataRow {
  kind: "tek_data";
  rollingStart: number;
  tek: Uint8Array;
}
export type MhRow = RxDataRow | RxRawDataRow | TekDataRow;
/** A line is a row, one of the headers (each start of the tool writes another), or it has a problem. */
export type MhLine = { row: MhRow } | { header: true } | { problem: string };

const COLUMNS: Record<MhKind, string> = {
  tek_data: "TEK_Roll_Interval_i;TEK;TEK-base64",
  rx_raw_data: "Time;RPI;AEM;RSSI;BDADDR",
  rx_data: "StartTime;EndTime;RPI;AEM;MaxRSSI;BDADDR",
};
const POSITION_COLUMNS = ";LAT;LON;Altitude;Speed";
/** Every field needs this column count; the position adds four. */
const WIDTH: Record<MhKind, number> = { tek_data: 3, rx_raw_data: 5, rx_data: 6 };
/** What stands for an address that nobody kept: no device can have it, since a random address is never all zero (Core Specification, volume 6, part B, 1.3.2). */
const NO_ADDRESS = "00:00:00:00:00:00";

export const MH_KINDS = Object.keys(COLUMNS) as MhKind[];

/** Header line without its LF. `position`: with the four columns of `--gpsposition`. */
export function mhHeader(kind: MhKind, position = false): string {
  return COLUMNS[kind] + (position && kind !== "tek_data" ? POSITION_COLUMNS : "");
}

/** One line of a file of `kind`, without its line end. */
export function parseMhLine(kind: MhKind, line: string): MhLine {
  if (line === mhHeader(kind) || line === mhHeader(kind, true)) return { header: true };
  if (line.trim() === "") return { problem: "empty line" };
  const fields = line.split(";");
  const width = WIDTH[kind];
  if (fields.length !== width && (kind === "tek_data" || fields.length !== width + 4)) {
    const widths = kind === "tek_data" ? `${width}` : `${width} or ${width + 4}`;
    return { problem: `${widths} columns expected, got ${fields.length}` };
  }
  try {
    if (kind === "tek_data") return { row: parseKey(fields) };
    const first = whole(fields[0], kind === "rx_data" ? "StartTime" : "Time");
    const rest = fields.slice(kind === "rx_data" ? 2 : 1);
    const received = parseReceived(rest);
    if (kind === "rx_raw_data") return { row: { kind, time: first, rssi: signal(rest[2], "RSSI"), ...received } };
    const end = whole(fields[1], "EndTime");
    if (end < first) throw new Problem("EndTime lies before StartTime");
    return { row: { kind, start: first, end, maxRssi: signal(rest[2], "MaxRSSI"), ...received } };
  } catch (error) {
    if (error instanceof Problem) return { problem: error.message };
    throw error;
  }
}

class Problem extends Error {}

function parseKey(fields: string[]): TekDataRow {
  const rollingStart = whole(fields[0], "TEK_Roll_Interval_i");
  const tek = hex(fields[1], 16, "TEK");
  if (Buffer.from(tek).toString("base64") !== fields[2]) throw new Problem("TEK and TEK-base64 are not the same key");
  return { kind: "tek_data", rollingStart, tek };
}

/** RPI, AEM, RSSI, BDADDR and, if there, the position. */
function parseReceived(fields: string[]): Received {
  const received: Received = { rpi: hex(fields[0], 16, "RPI"), aem: hex(fields[1], 4, "AEM"), ...parseAddress(fields[3]) };
  if (fields.length > 4) {
    const [latitude, longitude, altitude, speed] = fields.slice(4).map(decimal);
    received.position = { latitude, longitude, altitude, speed };
  }
  return received;
}

function whole(text: string, name: string): number {
  if (!/^[0-9]{1,10}$/.test(text) || Number(text) > 0xffffffff) throw new Problem(`${name}: a whole number up to 2^32-1 expected`);
  return Number(text);
}

function signal(text: string, name: string): number {
  const rssi = /^-?[0-9]{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(rssi >= -128 && rssi <= 127)) throw new Problem(`${name}: whole dBm from -128 to 127 expected`);
  return rssi;
}

// The field itself is never part of a reason: it may be a key.
function hex(text: string, bytes: number, name: string): Uint8Array {
  if (text.length !== 2 * bytes) throw new Problem(`${name}: ${2 * bytes} hex digits expected, got ${text.length} characters`);
  if (!/^[0-9a-fA-F]+$/.test(text)) throw new Problem(`${name}: hex digits expected`);
  return new Uint8Array(Buffer.from(text, "hex"));
}

function parseAddress(text: string): { address: string | null; addressType: "random" | "public" } {
  if (text === "None") return { address: null, addressType: "random" };
  const parts = /^([0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}) \((random|public)\)$/.exec(text);
  if (!parts) throw new Problem("BDADDR: an address as aa:bb:cc:dd:ee:ff (random) or (public) expected");
  const address = parts[1].toLowerCase();
  return { address: address === NO_ADDRESS ? null : address, addressType: parts[2] as "random" | "public" };
}

function decimal(text: string): string | null {
  if (text === "None") return null;
  if (!/^-?(?:[0-9]+\.?[0-9]*(?:e[+-]?[0-9]+)?|inf|nan)$/i.test(text) || text.length > 32)
    throw new Problem("position: decimal numbers or None expected");
  return text;
}

/** Line of a row, without its LF. `position`: with the four columns, `None` where the row has nothing. */
export function formatMhRow(row: MhRow, position = false): string {
  if (row.kind === "tek_data") {
    const key = Buffer.from(row.tek);
    return [row.rollingStart, key.toString("hex"), key.toString("base64")].join(";");
  }
  const times = row.kind === "rx_data" ? [row.start, row.end] : [row.time];
  const fields = [...times, hexOf(row.rpi), hexOf(row.aem), row.kind === "rx_data" ? row.maxRssi : row.rssi, formatAddress(row)];
  if (position) {
    const { latitude, longitude, altitude, speed } = row.position ?? { latitude: null, longitude: null, altitude: null, speed: null };
    fields.push(...[latitude, longitude, altitude, speed].map((value) => value ?? "None"));
  }
  return fields.join(";");
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const formatAddress = (row: Received) => `${row.address ?? NO_ADDRESS} (${row.addressType})`;
