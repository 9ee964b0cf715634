import { hex } from "./bytes.ts";
import type { Crypto } from "./ports.ts";

// An address is 6 bytes, most significant first, as printed; on the air and in HCI it travels the other way round.
// Its two most significant bits tell the kind. Source: Bluetooth Core Specification 5, Vol 6 Part B, section 1.3.2.

export const NON_RESOLVABLE_PRIVATE = 0x00;
export const RESOLVABLE_PRIVATE = 0x40;
/** Never sent: some phones drop its packets without a word (BLE-05). */
export const RESERVED = 0x80;
export const STATIC_RANDOM = 0xc0;

/** Sum of the bytes without the two kind bits: 0 if the other 46 bits are all zero, 1338 if they are all one, neither otherwise. */
function randomPartSum(address: Uint8Array): number {
  return address.reduce((sum, byte) => sum + byte) - (address[0] & 0xc0);
}

/** A fresh address of `kind` from a source of random bytes, redrawn while its 46 random bits are all equal (BLE-05). */
export function randomAddress(randomBytes: Crypto["randomBytes"], kind: typeof NON_RESOLVABLE_PRIVATE | typeof STATIC_RANDOM): Uint8Array {
  const address = randomBytes(6);
  address[0] = (address[0] & 0x3f) | kind;
  return /*@__INLINE__*/ randomPartSum(address) % 1338 ? address : randomAddress(randomBytes, kind);
}

/** One of the four kinds above. */
export function addressKind(address: Uint8Array): number {
  return address[0] & 0xc0;
}

/** The kind in words, for people and files. */
export function addressKindName(address: Uint8Array): string {
  return ["non-resolvable-private", "resolvable-private", "reserved", "static-random"][address[0] >> 6];
}

/** May this address be sent from? Not of the reserved kind, and no random part of equal bits; a resolvable address is a hash, so any may occur. */
export function isUsableAddress(address: Uint8Array): boolean {
  const kind = addressKind(address);
  return kind === RESOLVABLE_PRIVATE || (kind !== RESERVED && randomPartSum(address) % 1338 !== 0);
}

/** As printed: `c0:01:02:03:04:05`, most significant byte first. */
export function formatAddress(address: Uint8Array): string {
  return hex(address, ":");
}

/** Reads six pairs of hex digits with colons, either case; `undefined` for anything else. */
export function parseAddress(text: string): Uint8Array | undefined {
  const parts = text.split(":");
  if (parts.length !== 6) return undefined;
  const address = new Uint8Array(6);
  for (let i = 0; i < 6; i++) {
    if (!/^[0-9a-fA-F][0-9a-fA-F]$/.test(parts[i])) return undefined;
    address[i] = parseInt(parts[i], 16);
  }
  return address;
}

/** The same address in the order of the air and of HCI: least significant byte first. Its own inverse. */
export function reverseAddress(address: Uint8Array): Uint8Array {
  return new Uint8Array(address).reverse();
}
