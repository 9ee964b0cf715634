import { decodePacket, type Packet } from "../../protocols/bluetrace/packet.ts";

/** What the bytes of a characteristic say, texts in Unicode; `undefined` for what must be rejected. The verdict is a board's, bytes that are no UTF-8 show as U+FFFD. */
export function readCharacteristic(value: Uint8Array, fromCentral: boolean): Packet | undefined {
  const packet = decodePacket(Buffer.from(value).toString("latin1"), fromCentral);
  const unicode = (octets: string) => Buffer.from(octets, "latin1").toString("utf8");
  return packet && { ...packet, id: unicode(packet.id), model: unicode(packet.model), org: unicode(packet.org) };
}
