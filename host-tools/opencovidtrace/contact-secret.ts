import { createDecipheriv } from "node:crypto";
import { decodeBase64, encodeBase64 } from "../../protocols/base64.ts";
import { KEY_LIFETIME_MS } from "../../protocols/opencovidtrace/contact-link.ts";
import { decodePayload, type Payload } from "../../protocols/opencovidtrace/payload.ts";
import { nodeCrypto } from "../node-crypto.ts";

/**
 * What the scanner of a link answers by push: base64 of its own payload, both blocks encrypted under the link's key (OCT-09).
 * Blocks are encrypted one by one without chaining, which is enough only because both look random. `key`: 16 bytes; `payload`: 32.
 */
export function sealContact(key: Uint8Array, payload: Uint8Array): string {
  return encodeBase64(nodeCrypto.aes128(key, payload));
}

/** The payload behind a secret; `undefined` for a text of another length. It has no check: with another key it is noise. */
export function openContact(key: Uint8Array, secret: string): Payload | undefined {
  const sealed = secret.length === 44 ? decodeBase64(secret) : undefined;
  if (sealed?.length !== 32) return undefined;
  return decodePayload(new Uint8Array(createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false).update(sealed)));
}

/** Keys of links that were shown, by their time in ms: kept for two minutes and not a moment longer (OCT-09). */
export class ShownLinks {
  private readonly keys = new Map<number, Uint8Array>();

  add(time: number, key: Uint8Array): void {
    this.forgetBefore(time);
    this.keys.set(time, key);
  }

  /** Key of the link shown at `time`, if it may still be used at `now`. */
  keyOf(time: number, now: number): Uint8Array | undefined {
    this.forgetBefore(now);
    return this.keys.get(time);
  }

  get size(): number {
    return this.keys.size;
  }

  private forgetBefore(now: number): void {
    for (const [time, key] of this.keys)
      if (Math.abs(now - time) > KEY_LIFETIME_MS) {
        key.fill(0);
        this.keys.delete(time);
      }
  }
}
