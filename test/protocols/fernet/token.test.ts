import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { aesDecrypt, nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from "../../../protocols/base64.ts";
import { ascii } from "../../../protocols/bytes.ts";
import { fernetText, fernetTime, isTokenLength, openFernet, openFernetText, sealFernet } from "../../../protocols/fernet/token.ts";
import { fromHex, loadVectors, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("fernet.json");
const quarantine = loadVectors("smartbeacon.json");
const keyOf = (secret: string) => decodeBase64Url(secret)!;

describe("Fernet", () => {
  test.each(vectors.generate)("makes $token (FER-01)", ({ secret, now, iv, src, src_hex, token }) => {
    const sealed = sealFernet(nodeCrypto, keyOf(secret), now, fromHex(iv), src_hex === undefined ? ascii(src) : fromHex(src_hex));
    expect(fernetText(sealed)).toBe(token);
    expect(fernetTime(sealed)).toBe(now);
    expect(isTokenLength(sealed.length)).toBe(true);
  });

  test.each(vectors.verify)("$name: $expect (FER-02, FER-03, FER-04)", ({ secret, token, now, ttl_s, expect: verdict, src_hex }) => {
    const opened = openFernetText(nodeCrypto, aesDecrypt, keyOf(secret), token, now, ttl_s ?? undefined);
    expect(typeof opened === "string" ? opened : toHex(opened)).toBe(verdict === "ok" ? src_hex : verdict);
  });

  test.each(quarantine.fernet_variant)("seals the quarantine demonstration's message (QB-09)", ({ key_b64url, time, iv, text, raw, token }) => {
    const sealed = sealFernet(nodeCrypto, keyOf(key_b64url), time, fromHex(iv), ascii(text));
    expect([toHex(sealed), fernetText(sealed)]).toEqual([raw, token]);
    expect([sealed.length, token.length]).toEqual([89, 120]);
    expect(openFernet(nodeCrypto, aesDecrypt, keyOf(key_b64url), sealed, time, 420)).toEqual(ascii(text));
  });

  test("decrypts nothing whose tag is wrong (FER-05)", () => {
    const decrypt = vi.fn(aesDecrypt);
    const { secret, token, now } = vectors.verify[0];
    const raw = decodeBase64Url(token)!;
    for (let at = 1; at < raw.length; at++)
      expect(openFernet(nodeCrypto, decrypt, keyOf(secret), raw.with(at, raw[at] ^ 1), now, 60)).toBe("bad-mac");
    expect(decrypt).not.toHaveBeenCalled();
  });
});

describe("Base64", () => {
  test.each(loadVectors("primitives.json").base64)("of '$bytes' (COM-08)", ({ bytes, b64, b64url }) => {
    expect([encodeBase64(fromHex(bytes)), encodeBase64Url(fromHex(bytes))]).toEqual([b64, b64url]);
    expect([decodeBase64(b64), decodeBase64Url(b64url)].map((read) => toHex(read!))).toEqual([bytes, bytes]);
  });

  test("reads the one text that it writes, and no other (FER-03)", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes)));
    const digits = fc.string({ unit: fc.constantFrom(..."AZaz09-_+/= \n"), maxLength: 12 });
    fc.assert(
      fc.property(digits, (text) => {
        const read = decodeBase64Url(text);
        if (read) expect(encodeBase64Url(read)).toBe(text);
      }),
      { numRuns: 5000 },
    );
    for (const text of ["A", "AA", "AAA", "A===", "====", "AB==", "AAB=", "AA=A", "AA==AAAA", "AA= =", "AAAA\n"])
      expect(decodeBase64Url(text), text).toBeUndefined();
  });
});
