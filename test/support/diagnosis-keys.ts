import { type ExposureKey, encodeExport, type KeyExport } from "../../protocols/gaen/export-file.ts";
import { decodeExportColumns, type ExportColumns } from "../../protocols/gaen/key-columns.ts";

/** As it would be read from its file. */
export function asPublished(content: KeyExport): ExportColumns {
  const columns = decodeExportColumns(encodeExport(content));
  if (!columns) throw new Error("no export");
  return columns;
}

/** An export of some keys, published in a time to come, so that nobody can have known them when they were heard. */
export function exportOf(keys: ExposureKey[], revisedKeys: ExposureKey[] = [], start = 0): KeyExport {
  return { start, end: 4_000_000_000, region: "QX", batchNumber: 1, batchSize: 1, signatureInfos: [], keys, revisedKeys };
}
