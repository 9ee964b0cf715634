import { crc32, inflateRawSync } from "node:zlib";
import { FormatError } from "../errors.ts";

// As much of ZIP as an export needs: two small files out of bytes in memory, and two stored files into bytes that are the same every time.
// Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.16 (end record).
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const END_RECORD = 0x06054b50;
const END_RECORD_BYTES = 22;
const LONGEST_COMMENT = 0xffff;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const VERSION = 20;
/** 1980-01-01, the first day a DOS date can tell. */
const DOS_DATE = 0x21;

function badZip(what: string): FormatError {
  return new FormatError("bad_zip", `The file is no zip archive that can be read: ${what}. Fetch it again, or ask its sender for an export zip.`);
}

/** Does it begin like a zip? */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0, true) === LOCAL_HEADER;
}

/**
 * The entries of an archive called one of `names`, inflated and checked; others are not looked at. Sizes come from the directory, as some writers leave them out of the local headers.
 * @param limit most bytes that the entries read may have together, whatever the archive says.
 * @throws FormatError `bad_zip`, or `too_large` past the limit.
 */
export function readZip(bytes: Uint8Array, names: string[], limit: number): Map<string, Uint8Array> {
  const archive = view(bytes);
  const end = findEndRecord(archive);
  const count = archive.getUint16(end + 10, true);
  let at = archive.getUint32(end + 16, true);
  let room = limit;
  const found = new Map<string, Uint8Array>();
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_ENTRY_BYTES > end || archive.getUint32(at, true) !== DIRECTORY_ENTRY)
      throw badZip(`entry ${i + 1} of ${count} is missing from its directory`);
    const nameLength = archive.getUint16(at + 28, true);
    const next = at + DIRECTORY_ENTRY_BYTES + nameLength + archive.getUint16(at + 30, true) + archive.getUint16(at + 32, true);
    if (next > end) throw badZip(`entry ${i + 1} of ${count} reaches beyond its directory`);
    const name = Buffer.from(bytes.subarray(at + DIRECTORY_ENTRY_BYTES, at + DIRECTORY_ENTRY_BYTES + nameLength)).toString("latin1");
    if (names.includes(name)) {
      // Two readers might take different ones.
      if (found.has(name)) throw badZip(`${name} is in it twice`);
      const content = readEntry(bytes, at, name, room);
      room -= content.length;
      found.set(name, content);
    }
    at = next;
  }
  return found;
}

function findEndRecord(archive: DataView): number {
  const last = archive.byteLength - END_RECORD_BYTES;
  for (let at = last; at >= 0 && at >= last - LONGEST_COMMENT; at--) {
    if (archive.getUint32(at, true) === END_RECORD && at + END_RECORD_BYTES + archive.getUint16(at + 20, true) === archive.byteLength) return at;
  }
  throw badZip("it has no end record");
}

/** The content of the entry whose directory entry stands at `at`. */
function readEntry(bytes: Uint8Array, at: number, name: string, room: number): Uint8Array {
  const archive = view(bytes);
  const flags = archive.getUint16(at + 8, true);
  const method = archive.getUint16(at + 10, true);
  const packedSize = archive.getUint32(at + 20, true);
  const size = archive.getUint32(at + 24, true);
  const local = archive.getUint32(at + 42, true);
  if (flags & ENCRYPTED) throw badZip(`${name} is encrypted`);
  if (size > room)
    throw new FormatError("too_large", `${name} has ${size} bytes inside the zip, ${room} are allowed. Raise the limit if you trust the sender.`);
  if (local + LOCAL_HEADER_BYTES > bytes.length || archive.getUint32(local, true) !== LOCAL_HEADER) throw badZip(`${name} has no local header`);
  const start = local + LOCAL_HEADER_BYTES + archive.getUint16(local + 26, true) + archive.getUint16(local + 28, true);
  if (start + packedSize > bytes.length) throw badZip(`${name} reaches beyond the end of the file`);
  const packed = bytes.subarray(start, start + packedSize);
  let content: Uint8Array;
  if (method === STORED) content = packed;
  else if (method === DEFLATED) content = inflate(packed, size, name);
  else throw badZip(`${name} is packed by method ${method}, known are 0 and 8`);
  if (content.length !== size) throw badZip(`${name} has ${content.length} bytes, its directory says ${size}`);
  if (crc32(content) !== archive.getUint32(at + 16, true)) throw badZip(`the checksum of ${name} is wrong`);
  return content;
}

function inflate(packed: Uint8Array, size: number, name: string): Uint8Array {
  try {
    // Stops at the size that was checked against the limit, however much more the packed bytes would give.
    return new Uint8Array(inflateRawSync(packed, { maxOutputLength: Math.max(size, 1) }));
  } catch (cause) {
    throw new FormatError("bad_zip", `${name} can't be unpacked, or is longer than the zip's directory says. Fetch the file again.`, { cause });
  }
}

/** An archive of stored entries without times: the same files give the same bytes. Names: ASCII. */
export function writeZip(entries: { name: string; content: Uint8Array }[]): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content } of entries) {
    // offset 0   u16  version needed
    // offset 2   u16  flags, u16 method, u16 time: zero
    // offset 8   u16  date
    // offset 10  u32  CRC-32
    // offset 14  u32  size packed, u32 size
    // offset 22  u16  length of the name, u16 length of the extra field
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(DOS_DATE, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    locals.push(u32(LOCAL_HEADER), common, Buffer.from(name, "latin1"), Buffer.from(content));
    // Comment, disk and attributes are zero; the last four bytes tell where the local header is.
    directory.push(u32(DIRECTORY_ENTRY), u16(VERSION), common, Buffer.alloc(10), u32(offset), Buffer.from(name, "latin1"));
    offset += LOCAL_HEADER_BYTES + name.length + content.length;
  }
  const size = Buffer.concat(directory).length;
  const end = [u32(END_RECORD), u32(0), u16(entries.length), u16(entries.length), u32(size), u32(offset), u16(0)];
  return new Uint8Array(Buffer.concat([...locals, ...directory, ...end]));
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
