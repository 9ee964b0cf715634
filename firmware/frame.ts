import { writeInt } from "../protocols/bytes.ts";
import { FRAME_FIRST, FRAME_OVERHEAD, FRAME_SECOND } from "../protocols/device-link.ts";

/** A frame of protocols/device-link.ts, as text of one byte a character. */
export function frame(payload: Uint8Array): string {
  const length = payload.length;
  const bytes = new Uint8Array(length + FRAME_OVERHEAD);
  bytes[0] = FRAME_FIRST;
  bytes[1] = FRAME_SECOND;
  writeInt(bytes, 2, 2, length);
  bytes.set(payload, 4);
  writeInt(bytes, length + 4, 4, E.CRC32(bytes.subarray(2, length + 4)));
  return E.toString(bytes);
}
