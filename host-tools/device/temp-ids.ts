import type { DeviceStatus } from "../../protocols/device-link.ts";
import { encodeTempIdPages, type TokenIdentity } from "../bluetrace/batch-file.ts";
import type { TempIdBatch } from "../bluetrace/temp-ids.ts";
import { DeviceError } from "../errors.ts";
import type { Board } from "./board.ts";
import { type Synchronised, synchronise } from "./clock-sync.ts";

// Brings TempIDs to a board with the role token.

/** Bytes of a page that go with one command. */
const PIECE = 384;
/** The magic of a page comes last: without it a page is none. */
const MAGIC_BYTES = 4;

export interface Loaded {
  clock: Synchronised;
  /** After it. */
  status: DeviceStatus;
}

/** @throws DeviceError "no_firmware", "wrong_role", "no_pages" */
export async function requireToken(board: Board): Promise<DeviceStatus> {
  await board.requireFirmware();
  const { r } = await board.anyStatus();
  if (r !== "token")
    throw new DeviceError(
      "wrong_role",
      `${board.name}: its role is ${r}, and only a board with the role token takes TempIDs; \`tracelet flash --role token --protocol bluetrace\` makes it one`,
    );
  const status = await board.status();
  if (typeof status.ha !== "string")
    throw new DeviceError(
      "no_pages",
      `${board.name}: its log was made for another role and has no pages for TempIDs; pull it, then \`tracelet flash --erase --role token --protocol bluetrace\` makes a new one`,
    );
  return status;
}

/**
 * Sets the clock and hands a batch over, page by page, the one first whose TempIDs end first: whatever is cut off, one page is whole. Running it again does no harm.
 * @throws DeviceError "batch_over", "not_kept", and those of `requireToken` and `synchronise`
 */
export async function loadTempIds(board: Board, batch: TempIdBatch, identity: TokenIdentity): Promise<Loaded> {
  const pages = encodeTempIdPages(batch, identity);
  const { te } = await requireToken(board);
  if (!batch.tempIDs.some(({ expiryTime }) => expiryTime >= board.clock.now()))
    throw new DeviceError("batch_over", `${board.name}: all TempIDs of this batch have expired; fetch a new one from the health authority`);
  const clock = await synchronise(board);
  const ends = te?.slice(2) ?? [0, 0];
  const places = ends[1] < ends[0] ? [1, 0] : [0, 1];
  for (const [i, page] of pages.entries()) await writePage(board, places[i], page);
  const status = await board.status();
  const [left, refresh, ...now] = status.te ?? [0, 0, 0, 0];
  const kept = pages.every((_, i) => now[places[i]] > 0) && refresh === batch.refreshTime && left > 0;
  if (!kept)
    throw new DeviceError(
      "not_kept",
      `${board.name}: the board did not keep the TempIDs, or none of them is good yet (flash errors: ${status.er[1]}); try again, and look at \`tracelet status\``,
    );
  return { clock, status };
}

/** Brings one page to its place, 0 or 1, without a look at what the board makes of it. */
export async function writePage(board: Board, place: number, page: Uint8Array): Promise<void> {
  await board.writeTempIds(place, -1, new Uint8Array(0));
  for (let at = MAGIC_BYTES; at < page.length; at += PIECE) await board.writeTempIds(place, at, page.subarray(at, at + PIECE));
  await board.writeTempIds(place, 0, page.subarray(0, MAGIC_BYTES));
}
