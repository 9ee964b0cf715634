import { afterAll, expect } from "vitest";
import { encodeTempIdPages } from "../../host-tools/bluetrace/batch-file.ts";
import { makeBatch, type TempIdBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import type { Position } from "../../host-tools/simulator/air.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { command, type WearOptions, WornWorld } from "./worn-boards.ts";

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

/** What the interpreter itself says of a service that it asked for before its peer was ready, and that came after the link had ended (docs/virtual-air.md). */
const LATE_ANSWER = "Uncaught InternalError: BLE task completed that wasn't scheduled (SERVICE/NONE)\n";

/** Makes worlds by seed; after the last test of the file none of their boards may have said anything else. */
export function keptWorlds(): (seed: number) => WornWorld {
  const worlds: WornWorld[] = [];
  afterAll(() => {
    for (const world of worlds) for (const board of world.boards) expect(board.errors.filter((line) => line !== LATE_ANSWER)).toEqual([]);
  });
  return (seed) => {
    const world = new WornWorld(seed);
    worlds.push(world);
    return world;
  };
}

/** Random bytes that are the same each time. */
export function repeatable(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
}
