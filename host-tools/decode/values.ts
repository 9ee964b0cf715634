import { looksLikePacket, readPacket, readPayload, readTempId } from "./exchanges.ts";
import type { FieldReader } from "./explanation.ts";
import { looksLikeFernet, readDay, readFernet, readForwarded, readMessageC, readToken } from "./smartbeacon.ts";

/** Something that is no advertisement: read over GATT, written to a characteristic, or taken from a file. */
export interface ValueKind {
  title: string;
  /** For `--help`. */
  summary: string;
  /** Legal lengths in words, for the error. */
  lengths: string;
  hasLength(length: number): boolean;
  /** Do the bytes themselves say that it is this? Else the length is all there is, and another kind may have the same. */
  tellsItself?(bytes: Uint8Array): boolean;
  read(reader: FieldReader): void;
  notes: string[];
}

const oneOf = (...lengths: number[]) => ({ lengths: `${lengths.join(" or ")} bytes`, hasLength: (length: number) => lengths.includes(length) });

/** Names of `--as`, in the order in which they are tried. */
export const VALUE_KINDS: Record<string, ValueKind> = {
  "dp3t-id": {
    title: "DP-3T, value of its characteristic",
    summary: "DP-3T, read over GATT: 16 bytes",
    ...oneOf(16),
    read: (reader) => void reader.take(16, "EphID", "identifier, changes every 15 minutes"),
    notes: [],
  },
  "compact-token": {
    title: "SmartBeacon, compact token",
    summary: "SmartBeacon's token B3: 24 bytes",
    ...oneOf(24),
    tellsItself: ([type]) => type === 0xb3,
    read: readToken,
    notes: ["only the beacon's key opens it"],
  },
  "message-c": {
    title: "SmartBeacon, MESSAGE C",
    summary: "SmartBeacon's MESSAGE C: 80 bytes",
    ...oneOf(80),
    read: readMessageC,
    notes: ["only the beacon's keys open it"],
  },
  fernet: {
    title: "Fernet token",
    summary: "Fernet token as bytes: 73, 89, 105 and so on",
    lengths: "57 bytes and a multiple of 16",
    hasLength: (length) => length >= 73 && (length - 57) % 16 === 0,
    tellsItself: looksLikeFernet,
    read: readFernet,
    notes: [],
  },
  "day-record": {
    title: "SmartBeacon, a day of the store",
    summary: "day of a SmartBeacon's store with its tag: 54 bytes",
    ...oneOf(54),
    read: readDay,
    notes: ["true only if the tag is: the authority's key checks it"],
  },
  forwarded: {
    title: "SmartBeacon, message given back to the beacon",
    summary: "what a phone writes to a SmartBeacon: 40 or 96 bytes",
    ...oneOf(40, 96),
    read: readForwarded,
    notes: [],
  },
  "bt-packet": {
    title: "BlueTrace, packet",
    summary: "BlueTrace, read over GATT or written: JSON, at most 512 bytes",
    lengths: "2 to 512 bytes",
    hasLength: (length) => length >= 2 && length <= 512,
    tellsItself: looksLikePacket,
    read: readPacket,
    notes: [],
  },
  "temp-id": {
    title: "BlueTrace, TempID",
    summary: "BlueTrace's TempID without its base64: 61 bytes",
    ...oneOf(61),
    read: readTempId,
    notes: ["only the authority's key opens it"],
  },
  "oct-value": {
    title: "OpenCovidTrace, value of its characteristic",
    summary: "OpenCovidTrace, read over GATT: 32 bytes",
    ...oneOf(32),
    read: readPayload,
    notes: [],
  },
};
