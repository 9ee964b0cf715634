import { type Find, SCHEDULES, type SieveKeys } from "./find.ts";
import type { HeardTable } from "./heard-table.ts";
import { loadAddon } from "./sieve-native.ts";
import { createWasmFind } from "./sieve-wasm.ts";
import type { Wanted } from "./wanted.ts";

// The sieve: which of many keys may have made an identifier that was heard. It looks at the first 40 bits, so it may let a wrong key through, and never holds a right one
// back; what comes through is looked at again by the rules, over node:crypto. So a fault in it can hide an exposure and can't invent one, and tests hold it against a
// plain search. Native code where it was built and the processor has instructions for AES, WebAssembly everywhere else: see native/engine.h.

/** What is looked for in what. */
export interface SieveJob {
  keys: SieveKeys;
  heard: HeardTable;
  wanted: Wanted;
}

export type Way = "native" | "wasm";

/** The faster of the ways that this machine has: without instructions for AES a compiler makes good code of the vectors on ARM, and V8 better code on x86. */
export function bestWay(): Way {
  const addon = loadAddon();
  return addon && (addon.hasAes || process.arch === "arm64") ? "native" : "wasm";
}

export function createFind(way: Way): Find {
  if (way === "wasm") return createWasmFind();
  const addon = loadAddon();
  if (!addon) throw new Error("the addon was not built");
  return addon.find;
}

/** So many keys are looked at between two calls of `onProgress`: some ten milliseconds' worth. */
export const STEP = 16_384;

/** Runs a job over keys `start` to `end` - 1. Their numbers, in ascending order. */
export function findInRange(find: Find, { keys, heard, wanted }: SieveJob, start: number, end: number): Uint32Array {
  const size = keys.schedule === "dp3t" ? 32 : 16;
  const candidates = new Uint32Array(end - start);
  const count = find(
    SCHEDULES[keys.schedule],
    keys.bytes.subarray(size * start, size * end),
    keys.from.subarray(start, end),
    keys.lengths.subarray(start, end),
    wanted.before,
    wanted.first,
    heard.bitmap,
    heard.bitmapShift,
    heard.slots,
    heard.slotShift,
    heard.factor,
    candidates,
  );
  return candidates.subarray(0, count).map((number) => start + number);
}

/** The numbers of the keys that may have been heard, in ascending order. `onProgress`: how many of the keys are done. */
export function findCandidates(job: SieveJob, way: Way = bestWay(), onProgress?: (done: number) => void): Uint32Array {
  const find = createFind(way);
  const total = job.keys.from.length;
  const parts: Uint32Array[] = [];
  for (let start = 0; start < total; start += STEP) {
    const end = Math.min(start + STEP, total);
    parts.push(findInRange(find, job, start, end));
    onProgress?.(end);
  }
  return joined(parts);
}

/** One column of several, in their order. */
export function joined(parts: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
