import type { Find } from "./find.ts";
import { WASM_BASE64 } from "./sieve-wasm-code.ts";

/** As much of the global WebAssembly as is used here: TypeScript knows it only beside a browser's document. */
interface WithWebAssembly {
  WebAssembly: { Module: new (code: Uint8Array) => object; Instance: new (module: object, imports: object) => { exports: unknown } };
}

interface Exports {
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
  __heap_base: { value: number };
  engine_start(allowed: number): number;
  find_candidates(schedule: number, keys: number, wanted: number, heard: number, candidates: number): number;
}

let compiled: object | undefined;

/** The engine as a module, which a worker may be given. Needs the vectors of WebAssembly, which Node.js has since version 16.4. */
export function engineModule(): object {
  const { WebAssembly } = globalThis as unknown as WithWebAssembly;
  compiled ??= new WebAssembly.Module(Buffer.from(WASM_BASE64, "base64"));
  return compiled;
}

export function createWasmFind(): Find {
  return instantiateFind(engineModule());
}

/**
 * Lays the columns out in the module's memory, as the structs of native/engine.h want them. What was heard stays there from one call to the next.
 *
 * A worker gets the text of this function (in-workers.ts), so it names nothing from outside itself.
 */
export function instantiateFind(module: object): Find {
  const { WebAssembly } = globalThis as unknown as WithWebAssembly;
  const { memory, __heap_base: base, engine_start, find_candidates } = new WebAssembly.Instance(module, {}).exports as Exports;
  engine_start(0);
  const start = (base.value + 15) & ~15;
  let top = start;
  /** Copies columns to `top` and beyond. Answers where each stands. */
  const put = (columns: (Uint8Array | Uint32Array | BigUint64Array)[]): number[] => {
    const places = columns.map((column) => {
      const place = top;
      top = (top + column.byteLength + 15) & ~15;
      return place;
    });
    if (top > memory.buffer.byteLength) memory.grow(Math.ceil((top - memory.buffer.byteLength) / 65536));
    const bytes = new Uint8Array(memory.buffer);
    columns.forEach((column, i) => {
      bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), places[i]);
    });
    return places;
  };
  let kept: { bitmap: Uint8Array; slots: BigUint64Array; before: Uint32Array; places: number[]; top: number } | undefined;
  return (schedule, keys, from, lengths, before, first, bitmap, bitmapShift, slots, slotShift, factor, candidates) => {
    const sound =
      lengths.length === from.length &&
      candidates.length >= from.length &&
      before.length >= 1 &&
      keys.length >= from.length * (schedule === 2 ? 32 : 16) &&
      bitmap.length * 8 === 2 ** (32 - bitmapShift) &&
      slots.length === 2 ** (32 - slotShift);
    if (!sound) throw new RangeError("findCandidates: columns that don't fit each other");
    if (!kept || kept.bitmap !== bitmap || kept.slots !== slots || kept.before !== before) {
      top = start;
      const places = put([bitmap, slots, before]);
      kept = { bitmap, slots, before, places, top };
    }
    top = kept.top;
    const [atBitmap, atSlots, atBefore] = kept.places;
    const [atKeys, atFrom, atLengths, atCandidates] = put([keys, from, lengths, candidates]);
    const structs = [
      Uint32Array.of(atKeys, atFrom, atLengths, from.length),
      Uint32Array.of(atBefore, first, before.length - 1),
      Uint32Array.of(atBitmap, bitmapShift, atSlots, slotShift, factor),
    ];
    const [keyStruct, wantedStruct, heardStruct] = put(structs);
    const count = find_candidates(schedule, keyStruct, wantedStruct, heardStruct, atCandidates);
    candidates.set(new Uint32Array(memory.buffer, atCandidates, count));
    return count;
  };
}
