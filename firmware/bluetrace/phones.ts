import { MTU } from "tracelet:build";
import { decodePacket, packetText } from "../../protocols/bluetrace/packet.ts";
import { packTempId } from "../../protocols/bluetrace/temp-id.ts";
import { ascii, latin1 } from "../../protocols/bytes.ts";
import { keyOf, refuse } from "./meetings.ts";
import { isMet, remember } from "./peers.ts";
import { model, org, tempId } from "./temp-ids.ts";

// What a board learns of a phone as its central: the packet, where one read brings all of it. A read answers MTU - 1 bytes and a write takes MTU - 3; there is no offset. The packet has
// 114 characters beside the model and the authority's name, a central's 123 with an RSSI of two digits. In bundles for boards that read less (READS_PHONES) there is nothing of it.

/**
 * Reads a phone's packet; `taken` gets its TempID, 61 bytes, if all of the packet is there, of our authority and not of a phone that was met a moment ago. `rssi`: dBm, for our packet, which
 * the phone gets where one write takes it. Ends with a throw whatever comes, for what a talk to a board would do next isn't for a phone.
 */
export function readPhone(characteristic: RemoteCharacteristic, rssi: number, taken: (id: Uint8Array) => void): Pledge<never> {
  return characteristic
    .readValue()
    .then(function (value) {
      // what is cut off is no packet: its bracket doesn't close
      const packet = decodePacket(latin1(new Uint8Array(value.buffer)), false);
      const id = packet && packet.org === org ? packTempId(packet.id) : undefined;
      if (!id) {
        refuse();
        throw "refused";
      }
      const key = keyOf(id);
      if (isMet(key)) throw "met";
      remember(key, 0);
      taken(id);
      const own = packetText(btoa(tempId!), model, org, rssi);
      if (own.length > MTU - 3) throw "told";
      return characteristic.writeValue(ascii(own));
    })
    .then(function () {
      throw "told";
    });
}
