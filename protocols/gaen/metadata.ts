import type { Crypto } from "../ports.ts";

// Metadata, 4 bytes. Source: GAEN Bluetooth Specification v1.2, "Advertising Payload".
// offset 0  bits 7-6 major version (1), bits 5-4 minor version, bits 3-2 calibration confidence (from 1.1 on), bits 1-0 reserved
// offset 1  i8  transmit power as radiated by this model, dBm
// offset 2  2 bytes reserved, zero

/** What the four bytes say once they are open. */
export interface Metadata {
  /** Only 1 is known; anything else must not be scored (GAEN-25). */
  major: number;
  minor: number;
  /** 0 lowest, 1 low, 2 medium, 3 high; 0 in version 1.0. */
  confidence: number;
  /** dBm as radiated. Unauthenticated: check its bounds. */
  txPower: number;
}

/** Metadata of this board: version 1.0, or 1.1 where the calibration `confidence` (0 to 3) is given (GAEN-09). `txPower`: dBm as radiated. */
export function encodeMetadata(txPower: number, confidence?: number): Uint8Array {
  return new Uint8Array([confidence === undefined ? 0x40 : 0x50 | (confidence << 2), txPower, 0, 0]);
}

/** Reads 4 opened bytes. Never `undefined`: the AEM of another key opens to noise, and it is `major` and the power's bounds that tell. */
export function decodeMetadata(bytes: Uint8Array): Metadata {
  return {
    major: bytes[0] >> 6,
    minor: (bytes[0] >> 4) & 3,
    confidence: (bytes[0] >> 2) & 3,
    txPower: (bytes[1] << 24) >> 24,
  };
}

/**
 * AEM: metadata XOR AES-CTR keystream with the RPI as first counter. Up to 16 bytes in, as many out.
 * They need the first block of the keystream only, so this is one call of AES and no counter. Source: GAEN Cryptography Specification v1.2, "Associated Encrypted Metadata".
 */
export function encryptMetadata(crypto: Crypto, aemk: Uint8Array, rpi: Uint8Array, metadata: Uint8Array): Uint8Array {
  const keystream = crypto.aes128(aemk, rpi);
  return metadata.map((byte, i) => byte ^ keystream[i]);
}

/** Opens an AEM: CTR is its own inverse. */
export const decryptMetadata = encryptMetadata;
