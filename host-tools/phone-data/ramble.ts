import type { RxRawDataRow } from "../store/mh-csv.ts";
import { type ImportItem, strength, unixSeconds } from "./imported-row.ts";
import type { ForeignDatabase } from "./sqlite-file.ts";

// What the Android app RaMBLE exports (RaMBLE_*.sqlite). Source: the readers of mh-/corona-warn-companion-android and mh-/diagnosis-keys, and their issue 62.
// devices    id; service_data `fd6f:` and 40 hex digits, RPI and AEM; first_seen and last_seen, Unix seconds
// locations  device_id; timestamp, Unix seconds; rssi, dBm; longitude and latitude, degrees: one for each time the device was heard

export const RAMBLE_TABLES: [table: string, columns: string[]][] = [
  ["devices", ["id", "service_data", "first_seen", "last_seen"]],
  ["locations", ["device_id", "timestamp", "rssi", "longitude", "latitude"]],
];
/** A device is known by its address: one that comes back with another identifier keeps the first time of the old one. No identifier is sent for longer than this, s. */
const LONGEST = 30 * 60;
const GAEN_PREFIX = "fd6f:";

interface Heard {
  time: number;
  rssi: number;
  longitude: unknown;
  latitude: unknown;
}

/** Rows of encounters, each after the sightings it consists of. Devices that send something else are none. */
export function* readRamble(database: ForeignDatabase): Generator<ImportItem> {
  const [devices, locations] = RAMBLE_TABLES;
  const heard = new Map<string, Heard[]>();
  for (const [id, timestamp, rssi, longitude, latitude] of database.rows(...locations)) {
    const [time, signal] = [unixSeconds(timestamp), strength(rssi)];
    if (time === undefined || signal === undefined) continue;
    const known = heard.get(String(id));
    const one = { time, rssi: signal, longitude, latitude };
    if (known) known.push(one);
    else heard.set(String(id), [one]);
  }
  let line = 0;
  for (const [id, data, firstSeen, lastSeen] of database.rows(...devices)) {
    line++;
    if (typeof data !== "string" || !data.toLowerCase().startsWith(GAEN_PREFIX)) continue;
    for (const item of itemsOf(data, firstSeen, lastSeen, heard.get(String(id)) ?? [])) yield { line, ...item };
  }
}

function itemsOf(data: string, firstSeen: unknown, lastSeen: unknown, heard: Heard[]) {
  const digits = data.slice(GAEN_PREFIX.length);
  if (!/^[0-9a-f]{40}$/i.test(digits)) return [{ problem: "service_data: fd6f: and 40 hex digits expected" }];
  const [first, last] = [unixSeconds(firstSeen), unixSeconds(lastSeen)];
  if (first === undefined || last === undefined || first > last) return [{ problem: "first_seen, last_seen: Unix seconds in order expected" }];
  const counting = heard.filter(({ time }) => time >= Math.max(first, last - LONGEST) && time <= last);
  if (counting.length === 0) return [{ problem: "no strength is kept of it in the table locations" }];
  const sightings = counting.sort((a, b) => a.time - b.time).map((one) => sightingOf(Buffer.from(digits, "hex"), one));
  const { rpi, aem } = sightings[0];
  const strengths = sightings.map(({ rssi }) => rssi);
  const encounter = {
    kind: "rx_data" as const,
    start: sightings[0].time,
    end: sightings.at(-1)!.time,
    rpi,
    aem,
    maxRssi: strengths.reduce((most, one) => Math.max(most, one)),
    address: null,
    addressType: "random" as const,
  };
  return [...sightings, encounter].map((row) => ({ row }));
}

function sightingOf(bytes: Uint8Array, { time, rssi, longitude, latitude }: Heard): RxRawDataRow {
  const received = {
    rpi: new Uint8Array(bytes.subarray(0, 16)),
    aem: new Uint8Array(bytes.subarray(16)),
    address: null,
    addressType: "random" as const,
  };
  const [lat, lon] = [degrees(latitude, 90), degrees(longitude, 180)];
  const position = lat !== null && lon !== null ? { latitude: lat, longitude: lon, altitude: null, speed: null } : undefined;
  return { kind: "rx_raw_data", time, rssi, ...received, ...(position && { position }) };
}

function degrees(value: unknown, most: number): string | null {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Math.abs(number) <= most ? String(number) : null;
}
