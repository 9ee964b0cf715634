import { generateKeyPairSync, sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CertificateRules, checkCertificate, signCertificate } from "../../../host-tools/exposure-keys/certificate.ts";
import { judgeUpload, releaseAt } from "../../../host-tools/exposure-keys/publish-rules.ts";
import { readPublicKey } from "../../../host-tools/exposure-keys/signature.ts";
import { tekmac, tekmacMatches, tekmacText } from "../../../host-tools/exposure-keys/tekmac.ts";
import { fromBase64, fromHex, loadVectors, type Row } from "../../support/vectors.ts";

const vectors = loadVectors("gaen_export.json");
const snakeCase = (text: string | null) => text?.replaceAll("-", "_") ?? null;

describe("tekmac (GAEN-14)", () => {
  const uploaded = (row: Row) =>
    row.keys.map((key: Row) => ({
      key: key.key_b64,
      rollingStartNumber: key.rolling_start,
      rollingPeriod: key.rolling_period,
      transmissionRisk: key.transmission_risk,
    }));

  test.each(vectors.tekmac)("of secret $secret", (row) => {
    const keys = uploaded(row);
    const secret = fromHex(row.secret);
    expect(tekmacText(keys)).toBe(row.cleartext);
    expect(tekmac(keys, secret)).toBe(row.mac_b64);
    expect(tekmac([...keys].reverse(), secret)).toBe(row.mac_b64);
    expect(tekmacMatches(row.mac_b64, keys, secret)).toBe(true);
    expect(tekmacMatches(row.mac_b64, keys, new Uint8Array(16))).toBe(false);
    if (!row.alt_mac_b64) return;
    expect(tekmacText(keys, false)).toBe(row.alt_cleartext);
    expect(tekmacMatches(row.alt_mac_b64, keys, secret)).toBe(true);
  });

  test("without risks counts only where every risk is 0", () => {
    const keys = uploaded(vectors.tekmac.find((row) => row.alt_mac_b64) ?? {});
    const secret = fromHex(vectors.tekmac.find((row) => row.alt_mac_b64)?.secret);
    const withRisk = keys.map((key: Row, i: number) => ({ ...key, transmissionRisk: i === 0 ? 1 : 0 }));
    expect(tekmacMatches(vectors.tekmac.find((row) => row.alt_mac_b64)?.alt_mac_b64, withRisk, secret)).toBe(false);
  });

  test("that is no base64, or too short, is no match", () => {
    for (const claimed of ["", "…", "AAAA", "A".repeat(10_000)])
      expect(tekmacMatches(claimed, uploaded(vectors.tekmac[0]), fromHex("00"))).toBe(false);
  });
});

describe("certificate (GAEN-15)", () => {
  const { public_key_spki_b64, now, issuer, audience, cases } = vectors.certificate;
  const rules: CertificateRules = {
    publicKey: readPublicKey(public_key_spki_b64, "vector"),
    now,
    issuer,
    audience,
    tekmacMatches: (claimed) => claimed === vectors.certificate.tekmac,
  };
  const outcome = (jwt: string, changed: Partial<CertificateRules> = {}) => {
    const result = checkCertificate(jwt, { ...rules, ...changed });
    return "problem" in result ? result.problem : "ok";
  };

  const rows: Row[] = cases;
  test.each(rows)("$name: $expect", (row) => {
    expect(outcome(row.jwt)).toBe(snakeCase(row.expect));
    if (row.claims) expect(checkCertificate(row.jwt, rules)).toEqual({ claims: row.claims });
  });

  test("with several faults fails the first check of the order", () => {
    const valid: string = rows[0].jwt;
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const faults: Partial<CertificateRules> = { publicKey: other, now: now + 1e6, issuer: "x", audience: "x", tekmacMatches: () => false };
    const order: (keyof CertificateRules)[] = ["publicKey", "now", "issuer", "audience", "tekmacMatches"];
    const seen = order.map((_, i) => outcome(valid, Object.fromEntries(order.slice(i).map((name) => [name, faults[name]]))));
    expect(seen).toEqual(["bad_signature", "expired", "bad_issuer", "bad_audience", "bad_tekmac"]);
  });

  test.each(["none", "ES384", "HS256", "es256", undefined])("whose header says %s is refused, however well it is signed", (alg) => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const signed = `${Buffer.from(JSON.stringify({ alg })).toString("base64url")}.${rows[0].jwt.split(".")[1]}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");
    expect(outcome(`${signed}.${signature}`, { publicKey })).toBe("bad_signature");
  });

  test("issued here is accepted here until the second it expires", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const claims = { iss: issuer, aud: audience, iat: now, exp: now + 900, reportType: "likely" as const, tekmac: vectors.certificate.tekmac };
    const jwt = signCertificate(claims, privateKey, "v1");
    expect(checkCertificate(jwt, { ...rules, publicKey })).toEqual({ claims });
    expect(outcome(jwt, { publicKey, now: now + 899 })).toBe("ok");
    expect(outcome(jwt, { publicKey, now: now + 900 })).toBe("expired");
    const odd = signCertificate({ ...claims, reportType: "rumour" as "likely" }, privateKey, "v1");
    expect(outcome(odd, { publicKey })).toBe("bad_claims");
  });

  test("any text at all is a problem, never an error (COM-03)", () => {
    fc.assert(fc.property(fc.string(), (text) => outcome(text) !== "ok"));
    fc.assert(
      fc.property(fc.nat(rows[0].jwt.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, letter) => {
        const jwt: string = rows[0].jwt;
        outcome(jwt.slice(0, at) + letter + jwt.slice(at + 1));
      }),
    );
    for (const body of ["null", "[]", "1", '"x"']) {
      const part = Buffer.from(body).toString("base64url");
      expect(outcome(`${part}.${part}.${"A".repeat(86)}`)).toBe("bad_signature");
    }
  });
});

describe("an upload", () => {
  test.each(vectors.publish)("$name (GAEN-16, GAEN-17)", (row) => {
    const onset = { upload: row.symptom_onset_interval ?? undefined, certificate: row.certificate_onset_interval ?? undefined };
    const verdict = judgeUpload(row.keys, onset, row.now);
    expect(verdict.error).toBe(snakeCase(row.expect.error));
    const rejected = (row.expect.rejected ?? []).map((one: Row) => ({ index: one.index, reason: snakeCase(one.reason) }));
    expect(verdict.rejected).toEqual(rejected);
    if (verdict.error !== null) return;
    expect(verdict.onsetInterval).toBe(row.expect.onset_interval);
    expect(verdict.accepted).toEqual(
      row.expect.accepted.map((one: Row) => ({ index: one.index, releaseAt: one.release_at, daysSinceOnset: one.days_since_onset })),
    );
  });

  test("is never released within two hours of a key's end (GAEN-17)", () => {
    const time = fc.integer({ min: 1_577_836_800, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(time, fc.integer({ min: -2500, max: 144 }), fc.integer({ min: 1, max: 144 }), (now, ago, rollingPeriod) => {
        const rollingStartNumber = Math.floor(now / 600) + ago;
        const release = releaseAt({ rollingStartNumber, rollingPeriod }, now);
        expect(release % 3600).toBe(0);
        expect(release).toBeGreaterThanOrEqual((rollingStartNumber + rollingPeriod) * 600 + 7200);
        expect(release).toBeGreaterThan(now - 3600);
      }),
    );
  });

  test("may have keys that follow on each other, in any order, but none that share an interval (GAEN-16)", () => {
    const key = { ...vectors.publish[0].keys[0], rollingPeriod: 50 };
    const judge = (...starts: number[]) =>
      judgeUpload(
        starts.map((start) => ({ ...key, rollingStartNumber: key.rollingStartNumber + start })),
        {},
        vectors.publish[0].now,
      ).error;
    expect(judge(0, 50)).toBeNull();
    expect(judge(50, 0)).toBeNull();
    expect(judge(0, 49)).toBe("overlap");
    expect(judge(49, 0)).toBe("overlap");
    expect(judge(0, 0)).toBeNull();
  });

  test("whose key text is not base64 of 16 bytes loses that key only (GAEN-16)", () => {
    const good = vectors.publish[0].keys[0];
    const keys = [good, { ...good, key: `${good.key}!` }, { ...good, key: "" }];
    const verdict = judgeUpload(keys, {}, vectors.publish[0].now);
    expect(verdict.rejected.map(({ reason }) => reason)).toEqual(["key_length", "key_length"]);
    expect(fromBase64(good.key)).toHaveLength(16);
  });
});
