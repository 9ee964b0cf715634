/** A message as SHA-256 takes it, in blocks of 64 bytes behind `room` bytes of zeros. `message`: less than 2 MB. Source: FIPS 180-4, 5.1.1. */
export function paddedBlocks(message: Uint8Array, room: number): Uint8Array {
  const length = message.length;
  const end = ((length + 72) & ~63) + room;
  const blocks = new Uint8Array(end);
  blocks.set(message, room);
  blocks[length + room] = 128;
  blocks[end - 3] = length >> 13;
  blocks[end - 2] = length >> 5;
  blocks[end - 1] = length << 3;
  return blocks;
}
