/** RAM of the nRF52 begins here; below lies what belongs to the SoftDevice. */
export const RAM_BASE = 0x20003000;
/** Shorter buffers have no flat string behind them, hence no address. */
const FLAT_FROM = 17;

/** A typed array's bytes and where they lie. */
export interface RamPiece {
  base: number;
  bytes: Uint8Array;
}

/** Where typed arrays seem to lie. An address is handed out when it is first asked for, and stays. */
export class RamAddresses {
  private readonly bases = new WeakMap<ArrayBufferLike, number>();
  private readonly buffers: { base: number; buffer: WeakRef<ArrayBufferLike> }[] = [];
  private next = RAM_BASE;

  /** 0 for what doesn't lie in one piece. */
  of(view: ArrayBufferView): number {
    const { buffer, byteOffset } = view;
    if (buffer.byteLength < FLAT_FROM) return 0;
    let base = this.bases.get(buffer);
    if (base === undefined) {
      base = this.next;
      this.bases.set(buffer, base);
      this.buffers.push({ base, buffer: new WeakRef(buffer) });
      this.next += (buffer.byteLength + 15) & ~15;
    }
    return base + byteOffset;
  }

  /** All that has been asked for and is still there. */
  pieces(): RamPiece[] {
    return this.buffers.flatMap(({ base, buffer }) => {
      const found = buffer.deref();
      return found ? [{ base, bytes: new Uint8Array(found) }] : [];
    });
  }

  /** The `length` bytes at `address`, to read and to write; undefined where nothing that we know of lies. */
  at(address: number, length: number): Uint8Array | undefined {
    for (const { base, buffer } of this.buffers) {
      const found = address >= base && buffer.deref();
      if (found && address + length <= base + found.byteLength) return new Uint8Array(found, address - base, length);
    }
    return undefined;
  }
}
