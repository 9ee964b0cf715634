import { ascii } from "../bytes.ts";
import { createWriter, readFields, readText, writeBytes, writeFixed64, writeNumber, writeText, written } from "../protobuf.ts";

// export.bin and export.sig, what a diagnosis server publishes, as bytes: no zip, no signature is checked here.
// Source: "Exposure Key export file format and verification", https://developers.google.com/android/exposure-notifications/exposure-key-file-format .
//
// export.bin: 16 bytes "EK Export v1" and 4 spaces, then a message TemporaryExposureKeyExport
//   1 fixed64 start, 2 fixed64 end, 3 string region, 4 int32 batch number, 5 int32 batch size, 6 SignatureInfo*, 7 TemporaryExposureKey*, 8 TemporaryExposureKey* (revised)
// TemporaryExposureKey: 1 bytes key, 2 int32 transmission risk, 3 int32 rolling start, 4 int32 rolling period = 144, 5 enum report type, 6 sint32 days since onset
// export.sig: TEKSignatureList, 1 TEKSignature*: 1 SignatureInfo, 2 int32 batch number, 3 int32 batch size, 4 bytes signature
// SignatureInfo: 3 string version, 4 string id, 5 string algorithm

export const EXPORT_HEADER = "EK Export v1    ";
/** ECDSA over P-256 with SHA-256. */
export const SIGNATURE_ALGORITHM = "1.2.840.10045.4.3.2";
/** Newest first; of a longer list the rest is not read (GAEN-20). */
export const MAX_SIGNATURES = 10;
/** More than 16 MiB can hold of real keys; a file of empty ones would otherwise fill the memory (COM-03). */
export const MAX_KEYS = 0x100000;
const MAX_TEXT = 256;
const DEFAULT_PERIOD = 144;
const RECURSIVE = 4;
const REVOKED = 5;

/** A TEK of someone with a diagnosis, as published. */
export interface ExposureKey {
  /** 16 bytes in a sound file. Decoded keys are views into the file. */
  key: Uint8Array;
  /** 0 to 8. */
  transmissionRisk: number;
  /** Interval number from which the key was in use, and for how many intervals. */
  rollingStart: number;
  rollingPeriod: number;
  /** 0 unknown, 1 confirmed test, 2 clinical diagnosis, 3 self report, 4 recursive, 5 revoked. `undefined`: the file doesn't say. */
  reportType?: number;
  /** -14 to 14 in a sound file. `undefined`: the file doesn't say. */
  daysSinceOnset?: number;
}

/** Which key signed: what a client finds the right public key by. */
export interface SignatureInfo {
  version: string;
  id: string;
  algorithm: string;
}

/** What an export says of itself. */
export interface ExportHeader {
  /** Unix seconds: the time of publication that the file covers, without the end. */
  start: number;
  end: number;
  /** Usually an ISO 3166 code. */
  region: string;
  /** From 1 on, of `batchSize` files for the same time. */
  batchNumber: number;
  batchSize: number;
  signatureInfos: SignatureInfo[];
}

export interface KeyExport extends ExportHeader {
  keys: ExposureKey[];
  /** Keys that an earlier file had, with what is known now. */
  revisedKeys: ExposureKey[];
}

export interface ExportSignature {
  info: SignatureInfo;
  batchNumber: number;
  batchSize: number;
  /** ECDSA over the whole of export.bin, DER. */
  signature: Uint8Array;
}

/** Only such keys may be looked for: whole, of a legal period, and neither revoked nor of the kind that is never published (GAEN-19). */
export function isMatchable(key: ExposureKey): boolean {
  const soundPeriod = key.rollingPeriod >= 1 && key.rollingPeriod <= DEFAULT_PERIOD;
  return key.key.length === 16 && soundPeriod && key.reportType !== RECURSIVE && key.reportType !== REVOKED;
}

/** A TemporaryExposureKey in the canonical encoding (GAEN-18): ascending fields; key and risk always, start unless 0, period unless 144, the others if known. */
export function encodeKey(key: ExposureKey): Uint8Array {
  const message = createWriter();
  writeBytes(message, 0x0a, key.key);
  writeNumber(message, 0x10, key.transmissionRisk);
  if (key.rollingStart !== 0) writeNumber(message, 0x18, key.rollingStart);
  if (key.rollingPeriod !== DEFAULT_PERIOD) writeNumber(message, 0x20, key.rollingPeriod);
  if (key.reportType !== undefined) writeNumber(message, 0x28, key.reportType);
  if (key.daysSinceOnset !== undefined) writeNumber(message, 0x30, ((key.daysSinceOnset << 1) ^ (key.daysSinceOnset >> 31)) >>> 0);
  return written(message);
}

/** The key whose message are the bytes from `start` to `end`. */
export function decodeKeyAt(file: Uint8Array, start: number, end: number): ExposureKey | undefined {
  const key: ExposureKey = {
    key: file.subarray(0, 0),
    transmissionRisk: 0,
    rollingStart: 0,
    rollingPeriod: DEFAULT_PERIOD,
    reportType: undefined,
    daysSinceOnset: undefined,
  };
  const sound = readFields(file, start, end, function (tag, value, valueEnd) {
    if (tag === 0x0a) key.key = file.subarray(value, valueEnd);
    else if (tag === 0x10) key.transmissionRisk = value;
    else if (tag === 0x18) key.rollingStart = value;
    else if (tag === 0x20) key.rollingPeriod = value;
    else if (tag === 0x28) key.reportType = value >= 0 && value <= REVOKED ? value : 0;
    else if (tag === 0x30) key.daysSinceOnset = (value >>> 1) ^ -(value & 1);
  });
  return sound ? key : undefined;
}

/** Reads a TemporaryExposureKey, any order of fields, unknown ones skipped (GAEN-19). `undefined` for bytes that are no message. */
export function decodeKey(message: Uint8Array): ExposureKey | undefined {
  return decodeKeyAt(message, 0, message.length);
}

function encodeInfo(info: SignatureInfo): Uint8Array {
  const message = createWriter();
  writeText(message, 0x1a, info.version);
  writeText(message, 0x22, info.id);
  writeText(message, 0x2a, info.algorithm);
  return written(message);
}

function decodeInfoAt(file: Uint8Array, start: number, end: number): SignatureInfo | undefined {
  const info: SignatureInfo = { version: "", id: "", algorithm: "" };
  let sound = true;
  function text(from: number, to: number): string {
    const read = readText(file, from, to, MAX_TEXT);
    if (read === undefined) sound = false;
    return read || "";
  }
  const whole = readFields(file, start, end, function (tag, value, valueEnd) {
    if (tag === 0x1a) info.version = text(value, valueEnd);
    else if (tag === 0x22) info.id = text(value, valueEnd);
    else if (tag === 0x2a) info.algorithm = text(value, valueEnd);
  });
  return whole && sound ? info : undefined;
}

/**
 * export.bin, header included, in the canonical encoding (GAEN-18). Keys keep their order: sort them first (GAEN-22).
 * @throws Error on more than ten signature infos.
 */
export function encodeExport(file: KeyExport): Uint8Array {
  if (file.signatureInfos.length > MAX_SIGNATURES)
    throw new Error("export: at most " + MAX_SIGNATURES + " signatures, got " + file.signatureInfos.length);
  const message = createWriter();
  message.bytes.set(ascii(EXPORT_HEADER));
  message.length = EXPORT_HEADER.length;
  writeFixed64(message, 0x09, file.start);
  writeFixed64(message, 0x11, file.end);
  writeText(message, 0x1a, file.region);
  writeNumber(message, 0x20, file.batchNumber);
  writeNumber(message, 0x28, file.batchSize);
  for (let i = 0; i < file.signatureInfos.length; i++) writeBytes(message, 0x32, encodeInfo(file.signatureInfos[i]));
  for (let i = 0; i < file.keys.length; i++) writeBytes(message, 0x3a, encodeKey(file.keys[i]));
  for (let i = 0; i < file.revisedKeys.length; i++) writeBytes(message, 0x42, encodeKey(file.revisedKeys[i]));
  return written(message);
}

/** Does `file` begin with the 16 bytes of an export.bin? */
export function hasExportHeader(file: Uint8Array): boolean {
  for (let i = 0; i < EXPORT_HEADER.length; i++) if (file[i] !== EXPORT_HEADER.charCodeAt(i)) return false;
  return true;
}

/**
 * Reads an export.bin into `header`, but for its keys, each of which it shows to `visitKey`: the offsets at which its message begins and ends, and whether it is a revised one. The visitor
 * answers `false` for bytes that are no key. Answers `false` without the 16 bytes, for bytes that are no such message, and past MAX_KEYS keys.
 */
export function readExportFile(
  file: Uint8Array,
  header: ExportHeader,
  visitKey: (start: number, end: number, isRevised: boolean) => boolean,
): boolean {
  if (!hasExportHeader(file)) return false;
  let sound = true;
  let keys = 0;
  const whole = readFields(file, EXPORT_HEADER.length, file.length, function (tag, value, end) {
    if (!sound) return;
    if (tag === 0x3a || tag === 0x42) sound = ++keys <= MAX_KEYS && visitKey(value, end, tag === 0x42);
    else if (tag === 0x09) header.start = value;
    else if (tag === 0x11) header.end = value;
    else if (tag === 0x1a) {
      const region = readText(file, value, end, MAX_TEXT);
      if (region === undefined) sound = false;
      else header.region = region;
    } else if (tag === 0x20) header.batchNumber = value;
    else if (tag === 0x28) header.batchSize = value;
    else if (tag === 0x32) {
      const info = decodeInfoAt(file, value, end);
      if (info === undefined) sound = false;
      else if (header.signatureInfos.length < MAX_SIGNATURES) header.signatureInfos.push(info);
    }
  });
  return whole && sound;
}

/** Reads an export.bin. `undefined` where readExportFile() refuses it. Its keys need a look each: see isMatchable(). */
export function decodeExport(file: Uint8Array): KeyExport | undefined {
  const decoded: KeyExport = { start: 0, end: 0, region: "", batchNumber: 1, batchSize: 1, signatureInfos: [], keys: [], revisedKeys: [] };
  const whole = readExportFile(file, decoded, function (start, end, isRevised) {
    const key = decodeKeyAt(file, start, end);
    if (key !== undefined) (isRevised ? decoded.revisedKeys : decoded.keys).push(key);
    return key !== undefined;
  });
  return whole ? decoded : undefined;
}

/** export.sig. @throws Error on more than ten signatures. */
export function encodeSignatures(signatures: ExportSignature[]): Uint8Array {
  if (signatures.length > MAX_SIGNATURES) throw new Error("export: at most " + MAX_SIGNATURES + " signatures, got " + signatures.length);
  const list = createWriter();
  for (let i = 0; i < signatures.length; i++) {
    const message = createWriter();
    writeBytes(message, 0x0a, encodeInfo(signatures[i].info));
    writeNumber(message, 0x10, signatures[i].batchNumber);
    writeNumber(message, 0x18, signatures[i].batchSize);
    writeBytes(message, 0x22, signatures[i].signature);
    writeBytes(list, 0x0a, written(message));
  }
  return written(list);
}

/** Reads an export.sig, the first ten signatures of it. `undefined` for bytes that are no such message. */
export function decodeSignatures(file: Uint8Array): ExportSignature[] | undefined {
  const signatures: ExportSignature[] = [];
  let sound = true;
  const whole = readFields(file, 0, file.length, function (tag, value, end) {
    if (tag !== 0x0a || signatures.length === MAX_SIGNATURES) return;
    const one: ExportSignature = { info: { version: "", id: "", algorithm: "" }, batchNumber: 1, batchSize: 1, signature: file.subarray(0, 0) };
    const read = readFields(file, value, end, function (inner, from, to) {
      if (inner === 0x0a) {
        const info = decodeInfoAt(file, from, to);
        if (info) one.info = info;
        else sound = false;
      } else if (inner === 0x10) one.batchNumber = from;
      else if (inner === 0x18) one.batchSize = from;
      else if (inner === 0x22) one.signature = file.subarray(from, to);
    });
    if (!read) sound = false;
    signatures.push(one);
  });
  return whole && sound ? signatures : undefined;
}
