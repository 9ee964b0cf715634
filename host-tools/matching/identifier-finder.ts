import type { Crypto } from "../../protocols/ports.ts";
import { BEGINNING, createHeardTable, type HeardTable } from "./engine/heard-table.ts";

/** An entry that was found, and which of the identifiers found it. */
export interface Found<O> {
  entry: O;
  number: number;
}

export interface Finder<O> {
  /** What the sieve reads. */
  table: HeardTable;
  /** The entries whose identifier is among some identifiers of 16 bytes each, in a row. One of a dense encounter has the first 5 bytes of its identifier, and is found by them. */
  find(identifiers: Uint8Array): Found<O>[];
}

/** Finds entries by their identifier: 16 bytes, or 5. */
export function createFinder<O>(crypto: Crypto, entries: readonly O[], identifierOf: (entry: O) => Uint8Array): Finder<O> {
  const table = createHeardTable(crypto, entries, identifierOf);
  /** Are the bytes behind the first 5 the same, if there are such? */
  function endsAlike(identifier: Uint8Array, identifiers: Uint8Array, at: number): boolean {
    for (let i = BEGINNING; i < identifier.length; i++) if (identifier[i] !== identifiers[at + i]) return false;
    return true;
  }
  return {
    table,
    find(identifiers) {
      const found: Found<O>[] = [];
      for (let number = 0; 16 * number < identifiers.length; number++) {
        for (let at = table.find(identifiers, 16 * number); at >= 0; at = table.next(at))
          if (endsAlike(identifierOf(entries[at]), identifiers, 16 * number)) found.push({ entry: entries[at], number });
      }
      return found;
    },
  };
}
