import { randomBytes } from "node:crypto";
import * as z from "zod";
import { IV_BYTES, open, seal } from "./sealed-text.ts";

/** Seconds that a token is good for, and characters of the code that the authority tells the patient (BT-14). */
export const TOKEN_VALIDITY = 7200;
export const CODE_CHARACTERS = 6;

const claims = z.object({ uid: z.string().min(1), createdAt: z.number(), upload: z.string() });
/** What a token says: who, when (Unix seconds, with a fraction), and by which code. */
export type TokenClaims = z.infer<typeof claims>;

/** A token: base64 of the sealed JSON, like a TempID and under the same key. `iv`: fresh random bytes but in tests. */
export function sealToken(key: Uint8Array, { uid, createdAt, upload }: TokenClaims, iv: Uint8Array = randomBytes(IV_BYTES)): string {
  return seal(key, iv, Buffer.from(JSON.stringify({ uid, createdAt, upload })));
}

export type TokenVerdict = { verdict: "ok"; claims: TokenClaims } | { verdict: "expired" | "bad-code" | "invalid" };

/** Opens and judges a token at `now`, Unix seconds: `invalid` for what no key opens or is none, then the code, then the age. */
export function judgeToken(keys: readonly Uint8Array[], token: string, now: number): TokenVerdict {
  const plain = open(keys, token);
  if (!plain) return { verdict: "invalid" };
  let read: z.ZodSafeParseResult<TokenClaims>;
  try {
    read = claims.safeParse(JSON.parse(Buffer.from(plain).toString("utf8")));
  } catch {
    return { verdict: "invalid" };
  }
  if (!read.success) return { verdict: "invalid" };
  if (read.data.upload.length !== CODE_CHARACTERS) return { verdict: "bad-code" };
  return now - read.data.createdAt <= TOKEN_VALIDITY ? { verdict: "ok", claims: read.data } : { verdict: "expired" };
}
