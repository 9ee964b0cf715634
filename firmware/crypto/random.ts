/** Bytes from the chip's random number generator, by way of the SoftDevice (COM-01). */
export function hardwareRandom(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = E.hwRand();
  return bytes;
}
