import { encodeTempIdPages } from "../../host-tools/bluetrace/batch-file.ts";
import { makeBatch, type TempIdBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import type { Position } from "../../host-tools/simulator/air.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { command, type WearOptions, type WornWorld } from "./worn-boards.ts";

// BlueTrace boards.

export const AUTHORITY_KEY = new Uint8Array(32).fill(7);
export const HAI = "QX_HAI";
/** User ID of owner `n`. */
export const userId = (n: number): string => Buffer.alloc(21, n).toString("base64");

/** Hands a batch over, without the way over the wire. */
export function load(board: VirtualBoard, batch: TempIdBatch, org = HAI, pages = [0, 1]): void {
  for (const [i, page] of encodeTempIdPages(batch, { org, model: "device", service: 0 }).entries()) loadPage(board, pages[i], page);
}

export function loadPage(board: VirtualBoard, place: number, page: Uint8Array): void {
  command(board, `n(${place},-1)`);
  const text = (from: number, to?: number) => Buffer.from(page.subarray(from, to)).toString("base64");
  for (let at = 4; at < page.length; at += 384) command(board, `n(${place},${at},"${text(at, Math.min(at + 384, page.length))}")`);
  command(board, `n(${place},0,"${text(0, 4)}")`);
}

/** A token that has its TempIDs: those of owner `n`. */
export async function wearToken(world: WornWorld, n: number, where: Position | ((time: number) => Position), options: WearOptions = {}) {
  const board = await world.wear(where, { role: "token", protocols: ["bluetrace"], ...options });
  load(board, makeBatch(AUTHORITY_KEY, userId(n), Math.floor(world.clock.now)));
  return board;
}
