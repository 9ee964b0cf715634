import { type ExportSignature, type ExposureKey, encodeExport, type KeyExport, SIGNATURE_ALGORITHM } from "../../protocols/gaen/export-file.ts";
import { writeExportZip } from "./export-zip.ts";
import { type SigningKey, signExport } from "./signature.ts";

export interface ExportRequest {
  keys: ExposureKey[];
  revisedKeys?: ExposureKey[];
  /** Unix seconds of publication that the file covers, without the end. */
  start: number;
  end: number;
  region: string;
  /** From 1 on, of `batchSize`; one of one if left out. */
  batchNumber?: number;
  batchSize?: number;
  /** Newest first, at most ten (GAEN-20). None for a bare export.bin. */
  signers: Pick<SigningKey, "id" | "version">[];
}

/** export.bin: keys sorted by their bytes, so that their order tells nothing of who uploaded them together (GAEN-22). */
export function makeExportFile(request: ExportRequest): Uint8Array {
  const content: KeyExport = {
    start: request.start,
    end: request.end,
    region: request.region,
    batchNumber: request.batchNumber ?? 1,
    batchSize: request.batchSize ?? 1,
    signatureInfos: request.signers.map(({ id, version }) => ({ version, id, algorithm: SIGNATURE_ALGORITHM })),
    keys: sorted(request.keys),
    revisedKeys: sorted(request.revisedKeys ?? []),
  };
  return encodeExport(content);
}

/** The finished zip, signed by every signer. */
export function makeExportZip(request: Omit<ExportRequest, "signers"> & { signers: SigningKey[] }): Uint8Array {
  const file = makeExportFile(request);
  const signatures = request.signers.map(
    ({ id, version, privateKey }): ExportSignature => ({
      info: { version, id, algorithm: SIGNATURE_ALGORITHM },
      batchNumber: request.batchNumber ?? 1,
      batchSize: request.batchSize ?? 1,
      signature: signExport(file, privateKey),
    }),
  );
  return writeExportZip(file, signatures);
}

function sorted(keys: ExposureKey[]): ExposureKey[] {
  return [...keys].sort((a, b) => Buffer.compare(a.key, b.key));
}
