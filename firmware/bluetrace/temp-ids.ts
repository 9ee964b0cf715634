import { TEMP_ID_BYTES, TEMP_ID_RECORD } from "../../protocols/bluetrace/temp-id.ts";
import {
  CHECK_AT,
  CHECKED_FROM,
  COUNT_AT,
  MODEL_AT,
  MODEL_LENGTH_AT,
  ORG_AT,
  ORG_LENGTH_AT,
  pageBytesOf,
  REFRESH_AT,
  SERVICE_AT,
  TEMP_ID_MAGIC,
  TEMP_ID_PAGES,
  TEMP_IDS_AT,
  TEMP_IDS_OF_PAGE,
} from "../../protocols/bluetrace/temp-id-page.ts";
import { latin1, readU32 } from "../../protocols/bytes.ts";
import { HEAD_BYTES, PAGE_BYTES } from "../../protocols/log-format.ts";
import { flash, logStart, pages } from "../encounter-log.ts";

// A board's TempIDs, on two pages of flash behind the ring of the log. The hub brings them (T.n); without one that is good now the board is silent (BT-04).

/** Where the head of the log says that the two pages are there. */
const PAGES_BEHIND_AT = 13;
const DAY = 86400;

/** Health authority and model as others are told, service, Unix time from which on the hub is to bring more; of the latest batch. */
export let org = "";
export let model = "";
export let service = 0;
export let refreshTime = 0;
/** The TempID in use; 61 bytes. It is good from `validFrom` to `validUntil`, Unix seconds, both included. */
export let tempId: Uint8Array | undefined;
export let validFrom = 0;
export let validUntil = -1;
/** Last second of the last TempID of each page; 0: the page isn't whole, or of another authority. */
export let pageEnds: number[] = [];

/** Are there pages for TempIDs at all? */
export function hasPages(): boolean {
  return flash.read(1, logStart + PAGES_BEHIND_AT)[0] === TEMP_ID_PAGES;
}
/** Flash address of a page of TempIDs. */
export function tempIdPage(index: number): number {
  return logStart - HEAD_BYTES + PAGE_BYTES * (1 + pages + index);
}
function timesOf(address: number, index: number): Uint8Array {
  return flash.read(8, address + TEMP_IDS_AT + index * TEMP_ID_RECORD);
}

/** Looks at what the hub has brought. A page that is not whole, because the power went while it was written, is none. */
export function openTempIds(): void {
  const orgs: string[] = [];
  pageEnds = [0, 0];
  refreshTime = 0;
  if (!hasPages()) return;
  for (let i = 0; i < TEMP_ID_PAGES; i++) {
    const address = tempIdPage(i);
    const header = flash.read(TEMP_IDS_AT, address);
    const count = header[COUNT_AT];
    if (readU32(header, 0) !== TEMP_ID_MAGIC || count > TEMP_IDS_OF_PAGE) continue;
    if (readU32(header, CHECK_AT) !== E.CRC32(flash.read(pageBytesOf(count) - CHECKED_FROM, address + CHECKED_FROM))) continue;
    orgs[i] = latin1(header.subarray(ORG_AT, ORG_AT + header[ORG_LENGTH_AT]));
    for (let k = 0; k < count; k++) pageEnds[i] = Math.max(pageEnds[i], readU32(timesOf(address, k), 4));
    if (readU32(header, REFRESH_AT) < refreshTime) continue;
    refreshTime = readU32(header, REFRESH_AT);
    org = orgs[i];
    model = latin1(header.subarray(MODEL_AT, MODEL_AT + header[MODEL_LENGTH_AT]));
    service = header[SERVICE_AT];
  }
  // half a batch of another authority is left where the power went in the middle of a new one
  for (let i = 0; i < TEMP_ID_PAGES; i++) if (orgs[i] !== org) pageEnds[i] = 0;
}

/** Another look is due: the hub has brought some, or the board was somebody else's for a minute. */
export function forgetTempId(): void {
  tempId = undefined;
  validUntil = -1;
}

/** Calls back for each TempID that has not expired at `unix`, with the flash address of its 61 bytes. In its last second it makes way: the next one begins with it. */
function eachTempId(unix: number, callback: (first: number, last: number, address: number) => void): void {
  for (let i = 0; i < TEMP_ID_PAGES; i++) {
    const address = tempIdPage(i);
    const count = pageEnds[i] && flash.read(1, address + COUNT_AT)[0];
    for (let k = 0; k < count; k++) {
      const times = timesOf(address, k);
      if (unix < readU32(times, 4)) callback(readU32(times, 0), readU32(times, 4), address + TEMP_IDS_AT + k * TEMP_ID_RECORD + 8);
    }
  }
}
/** TempIDs that have not expired at `unix`. */
export function tempIdsLeft(unix: number): number {
  let left = 0;
  eachTempId(unix, function () {
    left++;
  });
  return left;
}
/** The TempID for `unix`, of those that are good the one that lasts longest, or none. Answers the seconds until there may be one. */
export function chooseTempId(unix: number): number {
  let found = 0;
  let soonest = DAY;
  forgetTempId();
  eachTempId(unix, function (first, last, address) {
    if (first > unix) soonest = Math.min(soonest, first - unix);
    else if (last > validUntil) {
      found = address;
      validFrom = first;
      validUntil = last;
    }
  });
  if (found) tempId = flash.read(TEMP_ID_BYTES, found);
  return soonest;
}
