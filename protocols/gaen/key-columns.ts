import { decodeKeyAt, type ExportHeader, readExportFile } from "./export-file.ts";

// Keys of an export as columns, read from the file where they stand: a nation's keys take 9 bytes each beside the file, and no object. What is read is what decodeExport() reads, and a test
// holds one against the other; only numbers that no sound key has are not kept.

/** Fields of keys of 16 bytes, in the order of the file. Meaning of the fields: ExposureKey. */
export interface KeyColumns {
  count: number;
  /** Where in the file the 16 bytes begin. */
  offset: Uint32Array;
  rollingStart: Int32Array;
  /** 0 for one that isn't 1 to 144. */
  rollingPeriod: Uint8Array;
  /** 0 for one that isn't 0 to 8. */
  transmissionRisk: Uint8Array;
  /** NOT_TOLD where the file doesn't say. */
  reportType: Uint8Array;
  /** NOT_TOLD where the file doesn't say, or says what isn't -14 to 14. */
  daysSinceOnset: Int8Array;
  /** 1 for a revised key. */
  isRevised: Uint8Array;
}

export const NOT_TOLD = 127;
const LONGEST_PERIOD = 144;
const HIGHEST_RISK = 8;
const HIGHEST_REPORT_TYPE = 5;
const MOST_DAYS = 14;

export interface ExportColumns extends ExportHeader {
  file: Uint8Array;
  keys: KeyColumns;
  /** Keys that aren't 16 bytes long, which are left out. */
  wrongSize: number;
}

/** Columns with room for so many keys, and none in them yet. */
function createKeyColumns(room: number): KeyColumns {
  return {
    count: 0,
    offset: new Uint32Array(room),
    rollingStart: new Int32Array(room),
    rollingPeriod: new Uint8Array(room),
    transmissionRisk: new Uint8Array(room),
    reportType: new Uint8Array(room),
    daysSinceOnset: new Int8Array(room),
    isRevised: new Uint8Array(room),
  };
}

/** A key takes at least so many bytes of an export: tag, length, and 16 bytes with theirs. */
const SHORTEST_KEY = 20;

/** Reads an export.bin. `undefined` where decodeExport() answers so. */
export function decodeExportColumns(file: Uint8Array): ExportColumns | undefined {
  const columns = createKeyColumns(Math.floor(file.length / SHORTEST_KEY));
  const decoded: ExportColumns = {
    start: 0,
    end: 0,
    region: "",
    batchNumber: 1,
    batchSize: 1,
    signatureInfos: [],
    file: file,
    keys: columns,
    wrongSize: 0,
  };

  function append(offset: number, start: number, period: number, risk: number, reportType: number, days: number, isRevised: boolean): void {
    const at = columns.count++;
    columns.offset[at] = offset;
    columns.rollingStart[at] = start;
    columns.rollingPeriod[at] = period >= 1 && period <= LONGEST_PERIOD ? period : 0;
    columns.transmissionRisk[at] = risk >= 0 && risk <= HIGHEST_RISK ? risk : 0;
    columns.reportType[at] = reportType;
    columns.daysSinceOnset[at] = days >= -MOST_DAYS && days <= MOST_DAYS ? days : NOT_TOLD;
    if (isRevised) columns.isRevised[at] = 1;
  }

  /** A key as servers write them: 16 bytes first, then known fields of up to 28 bits. Answers `false`, with nothing appended, for any other: those are decodeKeyAt()'s. */
  function readUsualKey(start: number, end: number, isRevised: boolean): boolean {
    if (end - start < 18 || file[start] !== 0x0a || file[start + 1] !== 16) return false;
    let risk = 0;
    let rollingStart = 0;
    let period = LONGEST_PERIOD;
    let reportType = NOT_TOLD;
    let days = NOT_TOLD;
    let at = start + 18;
    while (at < end) {
      const tag = file[at++];
      let value = 0;
      let shift = 0;
      let byte = 0x80;
      while (byte > 0x7f) {
        if (at >= end || shift > 21) return false;
        byte = file[at++];
        value |= (byte & 0x7f) << shift;
        shift += 7;
      }
      if (tag === 0x10) risk = value;
      else if (tag === 0x18) rollingStart = value;
      else if (tag === 0x20) period = value;
      else if (tag === 0x28) reportType = value <= HIGHEST_REPORT_TYPE ? value : 0;
      else if (tag === 0x30) days = (value >>> 1) ^ -(value & 1);
      else return false;
    }
    append(start + 2, rollingStart, period, risk, reportType, days, isRevised);
    return true;
  }

  function readKey(start: number, end: number, isRevised: boolean): boolean {
    if (readUsualKey(start, end, isRevised)) return true;
    const key = decodeKeyAt(file, start, end);
    if (key === undefined) return false;
    if (key.key.length !== 16) {
      decoded.wrongSize++;
      return true;
    }
    const reportType = key.reportType === undefined ? NOT_TOLD : key.reportType;
    const days = key.daysSinceOnset === undefined ? NOT_TOLD : key.daysSinceOnset;
    append(key.key.byteOffset - file.byteOffset, key.rollingStart, key.rollingPeriod, key.transmissionRisk, reportType, days, isRevised);
    return true;
  }

  return readExportFile(file, decoded, readKey) ? decoded : undefined;
}
