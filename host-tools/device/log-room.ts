import type { DeviceStatus } from "../../protocols/device-link.ts";
import { PAGE_WORDS } from "../../protocols/log-format.ts";
import { type Board, decodeBlockAnswer } from "./board.ts";

/** How much room a board's log has for what nobody has pulled. */
export interface LogRoom {
  /** Words that the hub has not acknowledged. */
  unpulledWords: number;
  /** Of the whole log. */
  unpulledPercent: number;
  /** Words that can still be written before some are lost that were not pulled. */
  wordsLeft: number;
  /** Less than a page. */
  nearlyFull: boolean;
  /** Days until then at the rate of the newest pages; undefined where the board has not written for long enough in this era to tell. */
  daysLeft: number | undefined;
}

/** A base tick is so many seconds before its page began, where the era is that old (firmware/encounter-log.ts). */
const BASE_BEFORE = 9999;
/** Less says nothing about a rate. */
const LEAST_SECONDS = 3600;

/** What follows from the status alone. Page 0 is filled once and never goes; the rest is a ring. */
export function roomOf({ lo, hi, ak, pg }: DeviceStatus): Omit<LogRoom, "daysLeft"> {
  const unpulledWords = Math.max(0, hi - Math.max(ak, lo));
  // the first page of the ring that holds anything unpulled goes when its place is needed, `pg` pages on
  const oldest = Math.max(Math.floor(Math.max(ak, lo) / PAGE_WORDS), 1);
  const wordsLeft = Math.max(0, (oldest + pg) * PAGE_WORDS - hi);
  const unpulledPercent = Math.min(100, Math.round((100 * unpulledWords) / ((pg + 1) * PAGE_WORDS)));
  return { unpulledWords, unpulledPercent, wordsLeft, nearlyFull: wordsLeft < PAGE_WORDS };
}

/** Asks for the head of the page before the newest one, which tells since when the log has grown by how much. */
export async function logRoom(board: Board, status: DeviceStatus): Promise<LogRoom> {
  const room = roomOf(status);
  const page = Math.max(0, Math.floor(status.hi / PAGE_WORDS) - 1);
  if (!status.id || status.hi === 0) return { ...room, daysLeft: undefined };
  const { value: block } = await board.command(`r(${page * PAGE_WORDS},1)`, (payload) => {
    const answer = decodeBlockAnswer(payload);
    return answer?.asked === page * PAGE_WORDS ? answer : undefined;
  });
  const seconds = status.t - (block.baseTick > 0 ? block.baseTick + BASE_BEFORE : 0);
  const words = status.hi - page * PAGE_WORDS;
  const known = block.era === status.e && seconds >= LEAST_SECONDS && words > 0;
  return { ...room, daysLeft: known ? (room.wordsLeft / words) * (seconds / 86400) : undefined };
}
