import { UUIDS128_COMPLETE, UUIDS128_INCOMPLETE } from "./advertising-data.ts";
import { hex } from "./bytes.ts";

// A UUID is 16 bytes in the order of the air, least significant first: the printed form completely reversed.

/** 16 bytes in the order of the air as `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, lower case. */
export function formatUuid(bytes: Uint8Array): string {
  let text = "";
  for (let i = 15; i >= 0; i--) {
    text += hex(bytes.subarray(i, i + 1));
    if (i === 12 || i === 10 || i === 8 || i === 6) text += "-";
  }
  return text;
}

/** 16 bytes of what is known to be a printed UUID. */
export function uuidBytes(text: string): Uint8Array {
  const digits = text.split("-").join("");
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[15 - i] = parseInt(digits.substr(2 * i, 2), 16);
  return bytes;
}

/** 16 bytes of a printed UUID, either case; `undefined` for any other text. */
export function parseUuid(text: string): Uint8Array | undefined {
  const bytes = uuidBytes(text);
  return formatUuid(bytes) === text.toLowerCase() ? bytes : undefined;
}

/** Which of `uuids` advertising data lists, as an index, in a complete or an incomplete list; -1 if none. Any bytes will do; makes no objects. */
export function listedUuid(packet: Uint8Array, uuids: Uint8Array[]): number {
  for (let at = 0; packet[at] && at + packet[at] < packet.length; at += packet[at] + 1) {
    if (packet[at + 1] !== UUIDS128_COMPLETE && packet[at + 1] !== UUIDS128_INCOMPLETE) continue;
    for (let entry = at + 2; entry + 15 <= at + packet[at]; entry += 16)
      for (let i = 0; i < uuids.length; i++) {
        let same = 0;
        while (same < 16 && uuids[i][same] === packet[entry + same]) same++;
        if (same === 16) return i;
      }
  }
  return -1;
}
