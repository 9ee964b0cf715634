import { decodePacket, MOST_PACKET_BYTES, type Packet } from "../../protocols/bluetrace/packet.ts";
import type { PhoneClock, PhoneLink, PhoneRadio } from "./phone-ports.ts";

/** How an exchange ended. `written`: our packet arrived too. */
export type ExchangeEnd = "unreachable" | "timeout" | "rejected" | "skipped" | "read" | "written";

export interface Exchange {
  /** The peer's packet, once it has been read and accepted. */
  packet: Packet | undefined;
  end: ExchangeEnd;
}

/**
 * A BlueTrace central's part of one connection: connect, read, write, disconnect. Nothing of a peer's packet is told before it has been read whole and accepted (BT-07); a peer
 * that answers slowly, for ever or not at all is left after `seconds` (BT-08).
 *
 * `accept` says whether the peer behind a packet is wanted; one that was met a moment ago under another address is not, and isn't written to. `done` is called once.
 */
export function exchange(
  { clock, radio }: { clock: PhoneClock; radio: PhoneRadio },
  { address, seconds, own }: { address: string; seconds: number; own: Uint8Array },
  accept: (packet: Packet) => boolean,
  done: (exchange: Exchange) => void,
): void {
  radio.connect(address, seconds, (link) => {
    if (!link) return done({ packet: undefined, end: "unreachable" });
    let packet: Packet | undefined;
    let over = false;
    const finish = (end: ExchangeEnd) => {
      if (over) return;
      over = true;
      limit.cancel();
      link.disconnect();
      done({ packet, end });
    };
    const limit = clock.after(seconds, () => finish(packet ? "read" : "timeout"));
    readWhole(link, (value) => {
      if (over) return;
      const read = value && decodePacket(Buffer.from(value).toString("latin1"), false);
      if (!read) return finish("rejected");
      if (!accept(read)) return finish("skipped");
      packet = read;
      link.write(own, (written) => finish(written ? "written" : "read"));
    });
  });
}

/** A value in parts, until one is shorter than a part can be; undefined for a failure, or more than a packet may have. */
function readWhole(link: PhoneLink, done: (value: Uint8Array | undefined) => void): void {
  const value = new Uint8Array(MOST_PACKET_BYTES);
  const readFrom = (offset: number) =>
    link.read(offset, (part) => {
      if (!part || offset + part.length > MOST_PACKET_BYTES) return done(undefined);
      value.set(part, offset);
      const length = offset + part.length;
      // a value as long as a packet may be ends here, whatever its last part's length
      if (part.length < link.mtu - 1 || length === MOST_PACKET_BYTES) done(value.subarray(0, length));
      else readFrom(length);
    });
  readFrom(0);
}
