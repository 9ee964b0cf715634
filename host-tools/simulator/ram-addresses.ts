/** RAM of the nRF52 begins here; below lies what belongs to the SoftDevice. */
export const RAM_BASE = 0x20003000;
const RAM_START = 0x20000000;
/** Shorter buffers have no flat string behind them, hence no address. */
const FLAT_FROM = 17;

/** A typed array's bytes and where they lie. */
export interface RamPiece {
  base: number;
  bytes: Uint8Array;
}

/**
 * Where typed arrays seem to lie. An address is handed out when it is asked for, and holds until the chip's memory has gone round: then another array lies there, and the first has an
 * address of its own again when it is asked for. A script that keeps an address for long does so in vain.
 */
export class RamAddresses {
  private lying: RamPiece[] = [];
  private next = RAM_BASE;

  /** `ramKb`: of the chip. */
  constructor(private readonly ramKb: number) {}

  /** 0 for what doesn't lie in one piece. */
  of({ buffer, byteOffset }: ArrayBufferView): number {
    const length = buffer.byteLength;
    if (length < FLAT_FROM) return 0;
    const known = this.lying.find(({ bytes }) => bytes.buffer === buffer);
    if (known) return known.base + byteOffset;
    const room = (length + 15) & ~15;
    if (this.next + room > RAM_START + this.ramKb * 1024) this.next = RAM_BASE;
    const base = this.next;
    this.next += room;
    this.lying = this.lying.filter((piece) => piece.base >= base + room || piece.base + piece.bytes.length <= base);
    this.lying.push({ base, bytes: new Uint8Array(buffer) });
    return base + byteOffset;
  }

  /** All that lies somewhere now. */
  pieces(): RamPiece[] {
    return this.lying.slice();
  }

  /** The `length` bytes at `address`, to read and to write; undefined where nothing that we know of lies. */
  at(address: number, length: number): Uint8Array | undefined {
    const piece = this.lying.find(({ base, bytes }) => address >= base && address + length <= base + bytes.length);
    return piece?.bytes.subarray(address - piece.base, address - piece.base + length);
  }
}
