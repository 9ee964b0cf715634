import {
  decodeExport,
  decodeSignatures,
  type ExportSignature,
  encodeSignatures,
  hasExportHeader,
  type KeyExport,
  type SignatureInfo,
} from "../../protocols/gaen/export-file.ts";
import { decodeExportColumns, type ExportColumns } from "../../protocols/gaen/key-columns.ts";
import { FormatError } from "../errors.ts";
import { type TrustedKey, verifyExport } from "./signature.ts";
import { looksLikeZip, readZip, writeZip } from "./zip.ts";

const EXPORT_NAME = "export.bin";
const SIGNATURE_NAME = "export.sig";
/** Most bytes of both files together once unpacked (GAEN-21). */
export const INFLATED_LIMIT = 16 * 1024 * 1024;

/** An export whose signature was found good, or nobody asked for. */
export interface OpenedExport {
  /** The whole of export.bin. */
  bytes: Uint8Array;
  /** What export.sig offers. Empty for a bare export.bin. */
  signatures: ExportSignature[];
  /** The signature that was found good; `undefined` where the caller asked for none. */
  verifiedBy?: SignatureInfo;
}

export interface ReadExport extends Omit<OpenedExport, "bytes"> {
  content: KeyExport;
}

/**
 * Opens what a diagnosis server publishes: a zip of export.bin and export.sig. Nothing comes out of a file before its signature is found good (GAEN-21).
 *
 * @param trust the keys of which one must have signed (GAEN-20); or `"unverified"`, for a look at a file whose keys go nowhere else, then a bare export.bin will do too.
 * @param limit most bytes to unpack.
 * @throws FormatError with, in this order of checks: `bad_zip`, `too_large`, `missing_export_file`, `missing_signature_file`, `no_matching_signature`, `bad_signature`.
 */
function openExport(file: Uint8Array, trust: TrustedKey[] | "unverified", limit: number): OpenedExport {
  if (!looksLikeZip(file) && hasExportHeader(file)) {
    if (trust !== "unverified") {
      throw new FormatError(
        "bad_zip",
        "The file is a bare export.bin. It carries no signature, so it can't be trusted; the zip it came in is wanted.",
      );
    }
    return { bytes: file, signatures: [] };
  }
  const entries = readZip(file, [EXPORT_NAME, SIGNATURE_NAME], limit);
  const bytes = entries.get(EXPORT_NAME);
  const list = entries.get(SIGNATURE_NAME);
  if (!bytes) throw new FormatError("missing_export_file", `The zip has no ${EXPORT_NAME}. It is no export of exposure keys.`);
  if (trust === "unverified") return { bytes, signatures: (list && decodeSignatures(list)) ?? [] };
  if (!list)
    throw new FormatError(
      "missing_signature_file",
      `The zip has no ${SIGNATURE_NAME}, so nobody vouches for its keys. Fetch it again from its server.`,
    );
  // A list that can't be read offers nothing that matches.
  const signatures = decodeSignatures(list) ?? [];
  return { bytes, signatures, verifiedBy: check(bytes, signatures, trust) };
}

/** openExport(), and what is in it. @throws FormatError of openExport(), then `bad_header`, `bad_protobuf`. */
export function readExport(file: Uint8Array, trust: TrustedKey[] | "unverified", limit = INFLATED_LIMIT): ReadExport {
  const { bytes, ...opened } = openExport(file, trust, limit);
  return { content: decode(bytes, decodeExport), ...opened };
}

/** readExport() for many keys: as columns. */
export function readExportColumns(file: Uint8Array, trust: TrustedKey[] | "unverified", limit = INFLATED_LIMIT): ExportColumns {
  return decode(openExport(file, trust, limit).bytes, decodeExportColumns);
}

/** The first signature that a trusted key of the same id and version made. */
function check(content: Uint8Array, signatures: ExportSignature[], trust: TrustedKey[]): SignatureInfo {
  let matching = 0;
  for (const { info, signature } of signatures) {
    for (const key of trust) {
      if (key.id !== info.id || key.version !== info.version) continue;
      matching++;
      if (verifyExport(content, signature, key.publicKey)) return info;
    }
  }
  if (matching === 0) {
    throw new FormatError(
      "no_matching_signature",
      `The file is signed by ${names(signatures.map(({ info }) => info))}; trusted: ${names(trust)}. Check the id and version of the key you trust.`,
    );
  }
  throw new FormatError(
    "bad_signature",
    "The signature doesn't fit: the file was changed on its way, or signed with another key than the one you trust. Don't use its keys; fetch it again.",
  );
}

/** Ids and versions for a message. They come from a stranger's file: kept short, and plain ASCII, since a terminal obeys some characters. */
function names(infos: { id: string; version: string }[]): string {
  const plain = (text: string) => `"${text.slice(0, 40).replace(/[^\x20-\x7e]/g, "?")}"`;
  const shown = infos.map(({ id, version }) => `id ${plain(id)} version ${plain(version)}`);
  return shown.length > 0 ? shown.join(", ") : "nobody";
}

function decode<T>(content: Uint8Array, reader: (content: Uint8Array) => T | undefined): T {
  if (!hasExportHeader(content)) {
    throw new FormatError(
      "bad_header",
      `${EXPORT_NAME} doesn't begin with "EK Export v1" and four spaces: another format, or another version of it.`,
    );
  }
  const decoded = reader(content);
  if (!decoded) {
    throw new FormatError(
      "bad_protobuf",
      `${EXPORT_NAME} has a sound header, but what follows is cut off or is no list of keys. Fetch the file again.`,
    );
  }
  return decoded;
}

/** The zip of both files. The same files give the same bytes: stored, no times. */
export function writeExportZip(content: Uint8Array, signatures: ExportSignature[]): Uint8Array {
  return writeZip([
    { name: EXPORT_NAME, content },
    { name: SIGNATURE_NAME, content: encodeSignatures(signatures) },
  ]);
}
