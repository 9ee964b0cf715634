import * as z from "zod";
import { type Route, routeRecord } from "./foreign-authorities.ts";
import { type EncounterRecord, isKept, judgeRecord, type RecordVerdict } from "./records.ts";
import { judgeToken, type TokenVerdict } from "./upload-token.ts";

/** Records of one upload that are looked at: 21 days with five peers a minute all the time. */
const MOST_RECORDS = 151200;

const record = z.object({
  timestamp: z.number(),
  msg: z.string().max(256).default(""),
  org: z.string(),
  modelP: z.string().default(""),
  modelC: z.string().default(""),
  rssi: z.number().min(-127).max(20),
  txPower: z.number().optional(),
  v: z.number().int().min(2),
});
const file = z.object({ token: z.string(), records: z.array(z.unknown()).max(MOST_RECORDS) });

export interface JudgedRecord {
  /** Place in the file. */
  index: number;
  route: Route;
  record: EncounterRecord;
  /** Only of records that are ours to open. */
  verdict: RecordVerdict | undefined;
}

export type UploadReport =
  | { status: "ERROR"; step: "parse" | "token"; reason: string; recordsReceived: number }
  | { status: "SUCCESS"; uploadCode: string; uid: string; recordsReceived: number; records: JudgedRecord[]; malformed: number[]; tooOld: number[] };

export interface UploadRules {
  /** 32 bytes each, tried in order. */
  keys: readonly Uint8Array[];
  /** Our name among authorities, and those that records are passed on to. */
  own: string;
  known: readonly string[];
  /** Unix seconds. */
  now: number;
}

/** Judges an upload file. One bad token refuses all of it; one bad record is one record less (BT-15). Never throws, whatever the text. */
export function judgeUpload(text: string, { keys, own, known, now }: UploadRules): UploadReport {
  const parsed = file.safeParse(parseJson(text));
  if (!parsed.success) return { status: "ERROR", step: "parse", reason: "no object with a token and a list of records", recordsReceived: 0 };
  const { token, records } = parsed.data;
  const judged: TokenVerdict = judgeToken(keys, token, now);
  if (judged.verdict !== "ok") return { status: "ERROR", step: "token", reason: judged.verdict, recordsReceived: records.length };
  const malformed: number[] = [];
  const tooOld: number[] = [];
  const taken: JudgedRecord[] = [];
  for (const [index, entry] of records.entries()) {
    const read = record.safeParse(entry);
    if (!read.success) malformed.push(index);
    else if (!isKept(read.data.timestamp, now)) tooOld.push(index);
    else {
      const route = routeRecord(read.data.org, own, known);
      taken.push({ index, route, record: read.data, verdict: route === "local" ? judgeRecord(keys, read.data) : undefined });
    }
  }
  const { upload, uid } = judged.claims;
  return { status: "SUCCESS", uploadCode: upload, uid, recordsReceived: records.length, records: taken, malformed, tooOld };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
