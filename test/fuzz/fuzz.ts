import fc from "fast-check";
import { toHex } from "../support/vectors.ts";

/** Inputs for each parser: 10^5 unless the environment says otherwise. `npm run fuzz` sets ten million. */
export const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 100_000);
/** Inputs from one seed: drawing each from fast-check itself would take longer than most parsers. */
const INPUTS_PER_SEED = 250;

/** Whole numbers from 0 to below `limit`. */
export type Draw = (limit: number) => number;

/** A repeatable sequence (splitmix32). */
function drawFrom(seed: number): Draw {
  let state = seed;
  return (limit) => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit;
  };
}

/** One input: noise, or one of `corpus` as a hostile or bad link makes it: cut, flipped, mixed with another, in another order, too long. Some stay as they are. */
export function mutated(draw: Draw, corpus: readonly Uint8Array[], longest: number): Uint8Array {
  const pick = () => corpus[draw(corpus.length)];
  const noise = (length: number) => Uint8Array.from({ length }, () => draw(256));
  if (corpus.length === 0 || draw(8) === 0) return noise(draw(longest + 1));
  let bytes = Uint8Array.from(pick());
  for (let changes = draw(4); changes > 0; changes--) {
    const at = draw(bytes.length + 1);
    switch (draw(8)) {
      case 0:
        bytes = bytes.slice(0, at);
        break;
      case 1:
        bytes = bytes.slice(at);
        break;
      case 2:
        if (at < bytes.length) bytes[at] ^= 1 << draw(8);
        break;
      case 3:
        if (at < bytes.length) bytes[at] = draw(256);
        break;
      case 4:
        bytes = joined(bytes.slice(0, at), noise(draw(8)), bytes.slice(at));
        break;
      case 5:
        bytes = joined(bytes.slice(at), bytes.slice(0, at));
        break;
      case 6: {
        const other = pick();
        bytes = joined(bytes.slice(0, at), other.slice(draw(other.length + 1)));
        break;
      }
      default:
        bytes = draw(4) ? joined(bytes.slice(0, at), bytes.slice(at + draw(4))) : joined(bytes, bytes);
    }
  }
  return bytes.subarray(0, 4 * longest);
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.concat(parts));
}

/**
 * Calls `check` with FUZZ_RUNS inputs, each with what else it wants to draw; what it throws names the input and the seed.
 * `longest`: bytes of noise; a mixture of the corpus may have four times as many.
 */
export function fuzz(corpus: readonly Uint8Array[], longest: number, check: (input: Uint8Array, draw: Draw) => void): void {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const draw = drawFrom(seed);
      for (let i = 0; i < INPUTS_PER_SEED; i++) {
        const input = mutated(draw, corpus, longest);
        try {
          check(input, draw);
        } catch (cause) {
          throw new Error(`input ${toHex(input)} (number ${i} of seed ${seed}): ${(cause as Error).message}`, { cause });
        }
      }
    }),
    // another seed would be another hundred inputs, not a smaller one
    { numRuns: Math.ceil(FUZZ_RUNS / INPUTS_PER_SEED), endOnFailure: true },
  );
}

/** Cheaper than `expect`, of which 10^5 take seconds. */
export function ensure(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}
