import { readCharacteristic } from "../bluetrace/characteristic.ts";
import type { FieldReader } from "./explanation.ts";

// Values that BlueTrace and OpenCovidTrace exchange over GATT.

/** Does it begin like a JSON object, blanks aside? */
export function looksLikePacket(bytes: Uint8Array): boolean {
  return bytes.find((byte) => !" \t\r\n".includes(String.fromCharCode(byte))) === 0x7b;
}

/** A packet as a whole: its parts stand in any order, and a number in it is digits. */
export function readPacket(reader: FieldReader): void {
  reader.rest("packet", (bytes) => {
    const [fromCentral, fromPeripheral] = [true, false].map((central) => readCharacteristic(bytes, central));
    const packet = fromCentral ?? fromPeripheral;
    if (!packet) return "rejected: a device stores nothing of it";
    const { id, model, org, v, rssi } = packet;
    // a model and an authority are a stranger's texts
    const told = [`authority ${JSON.stringify(org)}`, `model ${JSON.stringify(model)}`, `version ${v}`, `TempID of ${id.length} characters`];
    return fromCentral ? `a central's, which hears this device with ${rssi} dBm; ${told.join(", ")}` : `a peripheral's; ${told.join(", ")}`;
  });
}

export function readTempId(reader: FieldReader): void {
  reader.take(29, "ciphertext", "user ID, first and last second");
  reader.take(16, "IV", "");
  reader.take(16, "tag", "");
}

export function readPayload(reader: FieldReader): void {
  reader.take(16, "rolling id", "GAEN's formula under a daily key of OpenCovidTrace's, changes every 10 minutes");
  reader.take(16, "meta", "time and position, encrypted");
}
