import { createHmac, timingSafeEqual } from "node:crypto";

/** A key as it stands in an upload, its bytes as the base64 text that was sent. */
export interface UploadedKey {
  key: string;
  rollingStartNumber: number;
  rollingPeriod: number;
  transmissionRisk: number;
}

/** The text under the MAC: keys in the order of their base64 text, `key.start.period.risk` each, joined by commas (GAEN-14). `withRisk` false: the older form without `.risk`. */
export function tekmacText(keys: UploadedKey[], withRisk = true): string {
  // By code unit, as the reference server does; a language's own order would put small letters among capitals.
  const ordered = [...keys].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return ordered
    .map(({ key, rollingStartNumber, rollingPeriod, transmissionRisk }) => {
      const fields: (string | number)[] = [key, rollingStartNumber, rollingPeriod];
      return (withRisk ? [...fields, transmissionRisk] : fields).join(".");
    })
    .join(",");
}

/**
 * tekmac, base64: HMAC-SHA256 by which a certificate is bound to the keys of one upload, without the verification server ever seeing them.
 * Source: google/exposure-notifications-server, docs "Publishing Temporary Exposure Keys", HMAC calculation.
 */
export function tekmac(keys: UploadedKey[], secret: Uint8Array): string {
  return mac(tekmacText(keys), secret).toString("base64");
}

/** Is `claimed` (base64) the MAC of these keys? Where every risk is 0 the form without risks counts too (GAEN-14). Takes as long for a wrong one as for a right one (COM-02). */
export function tekmacMatches(claimed: string, keys: UploadedKey[], secret: Uint8Array): boolean {
  const forms = keys.every(({ transmissionRisk }) => transmissionRisk === 0) ? [true, false] : [true];
  const given = Buffer.from(claimed, "base64");
  // No early way out: every form is computed and compared.
  return forms.map((withRisk) => sameBytes(given, mac(tekmacText(keys, withRisk), secret))).includes(true);
}

function mac(text: string, secret: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(text).digest();
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
