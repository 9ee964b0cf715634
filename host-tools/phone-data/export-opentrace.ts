import { uploadDocument } from "../bluetrace/upload-file.ts";
import { csvLine } from "../csv.ts";
import type { StoredMeeting } from "../store/meetings.ts";
import { OPENTRACE_COLUMNS } from "./opentrace.ts";

/** Meetings of BlueTrace as a table with OpenTrace's columns, timestamps in Unix milliseconds. What has no time or no authority is left out. */
export function opentraceLines(meetings: readonly StoredMeeting[]): string[] {
  // no token: nothing is uploaded
  const { records } = uploadDocument(meetings, "").document;
  const rows = records.map((record) => {
    const cells = { txPower: "", ...record, timestamp: Math.round(record.timestamp * 1000) };
    return OPENTRACE_COLUMNS.map((column) => cells[column] ?? "");
  });
  return [[...OPENTRACE_COLUMNS], ...rows].map(csvLine);
}
