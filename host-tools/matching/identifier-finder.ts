import { PREFIX_BYTES } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { prefixWords } from "./dense.ts";
import { createRpiTable, identifierWords } from "./rpi-table.ts";

/** An entry that was found, and which of the identifiers found it. */
export interface Found<O> {
  entry: O;
  number: number;
}

/**
 * Finds those of `entries` whose identifier is among some identifiers of 16 bytes each, in a row. An entry of a dense encounter has the first 5 bytes of its identifier,
 * and is found by them.
 */
export function createFinder<O>(
  crypto: Crypto,
  entries: readonly O[],
  identifierOf: (entry: O) => Uint8Array,
): (identifiers: Uint8Array) => Found<O>[] {
  const isDense = (entry: O) => identifierOf(entry).length === PREFIX_BYTES;
  const full = entries.filter((entry) => !isDense(entry));
  const dense = entries.filter(isDense);
  const fullTable = createRpiTable(crypto, full.map(identifierOf));
  const denseTable = createRpiTable(crypto, dense.map(identifierOf));
  return (identifiers) => {
    const words = identifierWords(identifiers);
    const prefixes = dense.length > 0 ? prefixWords(words) : words;
    const found: Found<O>[] = [];
    for (let number = 0; number < identifiers.length / 16; number++) {
      for (let at = fullTable.find(words, number); at >= 0; at = fullTable.next(at)) found.push({ entry: full[at], number });
      if (dense.length === 0) continue;
      for (let at = denseTable.find(prefixes, number); at >= 0; at = denseTable.next(at)) found.push({ entry: dense[at], number });
    }
    return found;
  };
}
