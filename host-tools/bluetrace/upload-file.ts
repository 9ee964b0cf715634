import { encodeBase64 } from "../../protocols/base64.ts";
import type { EncounterRecord } from "./records.ts";

/** A meeting as the store has it. */
export interface Meeting {
  at: number | null;
  tempId: Uint8Array;
  rssi: number;
  txPower: number | null;
  authority: string | null;
  /** Of a phone's record. */
  models?: { peripheral: string; central: string; version: number } | null;
}

/** What an authority takes from its patient's device. Source: opentrace-android, its upload of StreetPass records. */
export interface UploadDocument {
  token: string;
  records: EncounterRecord[];
  events: never[];
}

/** Version of the packets, and what boards call themselves: the compact form tells no model. */
const VERSION = 2;
const MODEL = "device";

/** Meetings for upload. What has no time, or no authority to send it to, is left out. */
export function uploadDocument(meetings: readonly Meeting[], token: string): { document: UploadDocument; leftOut: number } {
  const records = meetings.flatMap(({ at, tempId, rssi, txPower, authority, models }) =>
    at === null || authority === null
      ? []
      : [
          {
            timestamp: at,
            msg: encodeBase64(tempId),
            org: authority,
            modelP: models?.peripheral ?? MODEL,
            modelC: models?.central ?? MODEL,
            rssi,
            ...(txPower === null ? {} : { txPower }),
            v: models?.version ?? VERSION,
          },
        ],
  );
  return { document: { token, records, events: [] }, leftOut: meetings.length - records.length };
}
