import { decodePacket, MOST_PACKET_BYTES, type Packet } from "../../protocols/bluetrace/packet.ts";
import type { PeripheralSession } from "./phone-ports.ts";

/**
 * A BlueTrace peripheral's part of one connection. Its value is frozen when the connection begins, so that two parts of a long read never come from two TempIDs (BT-06).
 * What is written counts once, and only if it parses completely (BT-07).
 */
export class BlueTracePeripheral implements PeripheralSession {
  private readonly prepared = new Uint8Array(MOST_PACKET_BYTES);
  /** Bytes prepared so far; -1 once a part came out of order or past the end. */
  private length = 0;
  private told = false;

  /** `value`: our packet; `received`: what a central told, at most once. */
  constructor(
    private readonly value: Uint8Array,
    private readonly received: (packet: Packet) => void,
  ) {}

  read(offset: number): Uint8Array | undefined {
    return offset <= this.value.length ? this.value.subarray(offset) : undefined;
  }

  write(value: Uint8Array): boolean {
    const packet = value.length <= MOST_PACKET_BYTES && !this.told ? decodePacket(Buffer.from(value).toString("latin1"), true) : undefined;
    if (!packet) return false;
    this.told = true;
    this.received(packet);
    return true;
  }

  /** Parts follow one another; a gap or an overlap spoils the whole write, as does a byte past the end. */
  prepare(offset: number, part: Uint8Array): boolean {
    const fits = offset === this.length && offset + part.length <= MOST_PACKET_BYTES;
    if (fits) this.prepared.set(part, offset);
    this.length = fits ? offset + part.length : -1;
    return fits;
  }

  execute(commit: boolean): boolean {
    const { length } = this;
    this.length = 0;
    return commit ? length >= 0 && this.write(this.prepared.slice(0, length)) : true;
  }
}
