import { type KeyObject, sign, verify } from "node:crypto";
import { z } from "zod";

// The certificate by which a verification server says that a diagnosis is genuine: a JWT, ES256 only.
// Source: RFC 7515, RFC 7518 section 3.4 (r and s of 32 bytes each, no DER), RFC 7519; google/exposure-notifications-server, "Verification protocol".

/** What the holder of a certificate may say. Other claims are left alone. */
const claimsShape = z.looseObject({
  iss: z.string(),
  aud: z.string(),
  iat: z.number().optional(),
  /** Unix seconds from which it no longer counts. */
  exp: z.number(),
  reportType: z.enum(["confirmed", "likely", "negative", "user-report"]),
  /** Interval number. */
  symptomOnsetInterval: z.int().min(0).optional(),
  /** Base64, see tekmac.ts. */
  tekmac: z.string(),
});
export type CertificateClaims = z.infer<typeof claimsShape>;

/** In the order of the checks (GAEN-15). For the server's own log: whoever uploads learns only that it failed (COM-02). */
export type CertificateProblem = "bad_signature" | "expired" | "bad_issuer" | "bad_audience" | "bad_tekmac" | "bad_claims";

export interface CertificateRules {
  publicKey: KeyObject;
  /** Unix seconds. */
  now: number;
  issuer: string;
  audience: string;
  /** Is this the MAC of the keys that were uploaded with it? */
  tekmacMatches(claimed: string): boolean;
}

/** Checks a certificate: signature, expiry, issuer, audience, tekmac, in this order; the rest of the claims is read last. Any text may be given. */
export function checkCertificate(jwt: string, rules: CertificateRules): { claims: CertificateClaims } | { problem: CertificateProblem } {
  const parts = jwt.split(".");
  if (parts.length !== 3) return { problem: "bad_signature" };
  const [header, body] = parts.slice(0, 2).map(parseObject);
  const signature = Buffer.from(parts[2], "base64url");
  // The algorithm is ours to choose: a header that names another, or none, is refused before anything is computed.
  if (header?.alg !== "ES256" || signature.length !== 64) return { problem: "bad_signature" };
  const signed = Buffer.from(`${parts[0]}.${parts[1]}`, "ascii");
  if (!verify("sha256", signed, { key: rules.publicKey, dsaEncoding: "ieee-p1363" }, signature)) return { problem: "bad_signature" };
  const claims = body ?? {};
  if (typeof claims.exp !== "number" || rules.now >= claims.exp) return { problem: "expired" };
  if (claims.iss !== rules.issuer) return { problem: "bad_issuer" };
  if (claims.aud !== rules.audience) return { problem: "bad_audience" };
  if (typeof claims.tekmac !== "string" || !rules.tekmacMatches(claims.tekmac)) return { problem: "bad_tekmac" };
  const parsed = claimsShape.safeParse(claims);
  return parsed.success ? { claims: parsed.data } : { problem: "bad_claims" };
}

/** A signed certificate, as a verification server issues it. `keyId`: which of its keys signed. */
export function signCertificate(claims: CertificateClaims, privateKey: KeyObject, keyId: string): string {
  const parts = [{ alg: "ES256", kid: keyId, typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signature = sign("sha256", Buffer.from(parts.join(".")), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return [...parts, signature.toString("base64url")].join(".");
}

function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
