import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import yauzl from "yauzl";
import yazl from "yazl";
import { readExport, writeExportZip } from "../../../host-tools/exposure-keys/export-zip.ts";
import { type ExportRequest, makeExportFile, makeExportZip } from "../../../host-tools/exposure-keys/make-export.ts";
import { newKeyPair, readPrivateKey, readPublicKey, type TrustedKey, verifyExport } from "../../../host-tools/exposure-keys/signature.ts";
import { readZip, writeZip } from "../../../host-tools/exposure-keys/zip.ts";
import { type ExposureKey, encodeSignatures, type KeyExport, SIGNATURE_ALGORITHM } from "../../../protocols/gaen/export-file.ts";
import { fromBase64, fromHex, loadVectors, type Row, toBase64, toHex } from "../../support/vectors.ts";

const vectors = loadVectors("gaen_export.json");

function keyOf(row: Row): ExposureKey {
  return {
    key: fromHex(row.key),
    transmissionRisk: row.transmission_risk,
    rollingStart: row.rolling_start,
    rollingPeriod: row.rolling_period,
    reportType: row.report_type ?? undefined,
    daysSinceOnset: row.days_since_onset ?? undefined,
  };
}

function contentOf(row: Row): KeyExport {
  return {
    start: row.start,
    end: row.end,
    region: row.region,
    batchNumber: row.batch_num,
    batchSize: row.batch_size,
    signatureInfos: row.signature_infos,
    keys: row.keys.map(keyOf),
    revisedKeys: row.revised_keys.map(keyOf),
  };
}

function requestOf(row: Row): ExportRequest {
  const { start, end, region, keys, revised_keys, signature_infos } = row.input;
  return { start, end, region, keys: keys.map(keyOf), revisedKeys: (revised_keys ?? []).map(keyOf), signers: signature_infos };
}

const trusted = (version: string, id: string, spki: string): TrustedKey => ({ version, id, publicKey: readPublicKey(spki, "vector") });

/** A private key out of the 32 bytes that vectors give. */
function privateKeyOf(hex: string): KeyObject {
  const point = p256.getPublicKey(fromHex(hex), false);
  const coordinate = (from: number) => Buffer.from(point.subarray(from, from + 32)).toString("base64url");
  const d = Buffer.from(hex, "hex").toString("base64url");
  return createPrivateKey({ key: { kty: "EC", crv: "P-256", d, x: coordinate(1), y: coordinate(33) }, format: "jwk" });
}

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "none";
};

describe("the sample of the reference server", () => {
  const sample = vectors.google_sample;
  const zip = fromBase64(sample.zip_b64);
  const file = readZip(zip, ["export.bin"], 1e6).get("export.bin") ?? new Uint8Array();

  test("opens, verifies and says what it is published to say (GAEN-20, GAEN-21)", () => {
    expect(createHash("sha256").update(file).digest("hex")).toBe(sample.sha256_of_export_bin);
    const [signature] = sample.signatures;
    const read = readExport(zip, [trusted(signature.version, signature.id, sample.public_key_spki_b64)]);
    expect(read.content).toEqual(contentOf(sample.decoded));
    expect(read.verifiedBy).toEqual({ version: signature.version, id: signature.id, algorithm: signature.algorithm });
    expect(read.signatures.map((one) => toHex(one.signature))).toEqual([signature.der]);
  });

  test("comes out of our encoder byte for byte (GAEN-18)", () => {
    const content = contentOf(sample.decoded);
    expect(toHex(makeExportFile({ ...content, signers: content.signatureInfos }))).toBe(toHex(file));
  });
});

describe.each(vectors.own)("the export '$name'", (row) => {
  const content = fromBase64(row.export_bin_b64);
  const signatures = row.signature_der.map((der: string, i: number) => ({
    info: { ...row.input.signature_infos[i], algorithm: SIGNATURE_ALGORITHM },
    batchNumber: 1,
    batchSize: 1,
    signature: fromHex(der),
  }));

  test("is built to the byte, keys sorted (GAEN-18, GAEN-22)", () => {
    expect(toBase64(makeExportFile(requestOf(row)))).toBe(row.export_bin_b64);
    const backwards = requestOf(row);
    backwards.keys.reverse();
    expect(toBase64(makeExportFile(backwards))).toBe(row.export_bin_b64);
    expect(toBase64(encodeSignatures(signatures))).toBe(row.export_sig_b64);
    expect(toBase64(writeExportZip(content, signatures))).toBe(row.zip_b64);
  });

  test("is read with any one of its signatures trusted (GAEN-20)", () => {
    const infos = row.input.signature_infos;
    const newest = trusted(infos[0].version, infos[0].id, row.public_key_spki_b64);
    expect(readExport(fromBase64(row.zip_b64), [newest]).content).toEqual(contentOf(row.decoded));
    if (!row.second_public_key_spki_b64) return;
    const older = trusted(infos[1].version, infos[1].id, row.second_public_key_spki_b64);
    expect(readExport(fromBase64(row.zip_b64), [older]).verifiedBy?.version).toBe(infos[1].version);
  });

  test("signed anew by its keys verifies too (GAEN-20)", () => {
    const keys = [row.private_key, row.second_private_key].filter(Boolean).map(privateKeyOf);
    const signers = keys.map((privateKey, i) => ({ ...row.input.signature_infos[i], privateKey }));
    const zip = makeExportZip({ ...requestOf(row), signers });
    for (const { version, id, privateKey } of signers) {
      const read = readExport(zip, [{ version, id, publicKey: createPublicKey(privateKey) }]);
      expect(read.content).toEqual(contentOf(row.decoded));
    }
  });
});

describe("what a reader refuses (GAEN-21)", () => {
  const { version, id, public_key_spki_b64 } = vectors.negative.trusted;
  const trust = [trusted(version, id, public_key_spki_b64)];
  const good = fromBase64(vectors.own[0].zip_b64);
  const bare = fromBase64(vectors.own[0].export_bin_b64);

  const cases: Row[] = vectors.negative.cases;
  test.each(cases)("$name: $expect", (row) => {
    expect(codeOf(() => readExport(fromBase64(row.zip_b64), trust))).toBe(row.expect.replaceAll("-", "_"));
  });

  test("an error says what to do next, and nothing of a key", () => {
    for (const row of cases) {
      expect(() => readExport(fromBase64(row.zip_b64), trust)).toThrow(/[Ff]etch|server|[Cc]heck|wanted|format|sender|no export/);
    }
  });

  test("the error of an unknown signer names who signed and who is trusted, in plain ASCII", () => {
    const info = { version: "v\u202e9", id: "\u001b[2J310", algorithm: SIGNATURE_ALGORITHM };
    const zip = writeExportZip(bare, [{ info, batchNumber: 1, batchSize: 1, signature: new Uint8Array(70) }]);
    expect(() => readExport(zip, trust)).toThrow('signed by id "?[2J310" version "v?9"; trusted: id "310" version "v1"');
  });

  test("a bare export.bin carries no signature: it can be looked at, not trusted", () => {
    expect(codeOf(() => readExport(bare, trust))).toBe("bad_zip");
    expect(readExport(bare, "unverified")).toEqual({ content: contentOf(vectors.own[0].decoded), signatures: [] });
    expect(readExport(good, "unverified").verifiedBy).toBeUndefined();
  });

  test("more than the limit is not unpacked, whatever the zip says of itself", () => {
    expect(codeOf(() => readExport(good, trust, 100))).toBe("too_large");
    const lying = good.slice();
    const view = new DataView(lying.buffer);
    const directory = view.getUint32(lying.length - 6, true);
    view.setUint32(directory + 24, 0x40000000, true);
    expect(codeOf(() => readExport(lying, trust))).toBe("too_large");
  });

  test("other entries are not looked at, an entry that is there twice is not believed", () => {
    const entries = ["export.bin", "export.sig"].map((name) => ({ name, content: readZip(good, [name], 1e6).get(name) ?? new Uint8Array() }));
    const more = { name: "../../etc/passwd", content: new Uint8Array(10) };
    expect(readExport(writeZip([more, ...entries]), trust).content.keys).toHaveLength(5);
    expect(codeOf(() => readExport(writeZip([...entries, entries[0]]), trust))).toBe("bad_zip");
  });

  test("any change of any byte gives the same keys or one of the errors, never another failure (COM-03)", () => {
    const codes = ["bad_zip", "too_large", "missing_export_file", "missing_signature_file", "no_matching_signature", "bad_signature"];
    const wanted = JSON.stringify(contentOf(vectors.own[0].decoded));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(good.length), (at, change, length) => {
        const changed = good.slice(0, length);
        if (at < length) changed[at] ^= change;
        const code = codeOf(() => expect(JSON.stringify(readExport(changed, trust).content)).toBe(wanted));
        expect(["none", ...codes]).toContain(code);
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void codeOf(() => readExport(bytes, trust))));
  });
});

describe("zip", () => {
  /** What yazl makes of the entries: deflated, sizes behind the data, as other writers do it too. */
  async function byYazl(entries: { name: string; content: Uint8Array }[], compress: boolean): Promise<Uint8Array> {
    const zip = new yazl.ZipFile();
    for (const { name, content } of entries) zip.addBuffer(Buffer.from(content), name, { compress });
    zip.end();
    const parts: Buffer[] = [];
    for await (const part of zip.outputStream) parts.push(part as Buffer);
    return new Uint8Array(Buffer.concat(parts));
  }
  const entries = [
    { name: "export.bin", content: new Uint8Array(5000).fill(7) },
    { name: "export.sig", content: new Uint8Array(0) },
  ];

  test.each([true, false])("of another writer is read, deflated: %s", async (compress) => {
    const read = readZip(await byYazl(entries, compress), ["export.bin", "export.sig"], 5000);
    expect([...read]).toEqual(entries.map(({ name, content }) => [name, content]));
  });

  test("that inflates to more than its directory says is refused (GAEN-21)", async () => {
    const bomb = await byYazl([{ name: "export.bin", content: new Uint8Array(1_000_000) }], true);
    const view = new DataView(bomb.buffer);
    view.setUint32(view.getUint32(bomb.length - 6, true) + 24, 100, true);
    expect(codeOf(() => readZip(bomb, ["export.bin"], 1000))).toBe("bad_zip");
  });

  test("of ours is read by another reader, and is the same every time", async () => {
    const zip = writeZip(entries);
    expect(writeZip(entries)).toEqual(zip);
    const sizes = await new Promise((resolve, reject) => {
      const seen: [string, number][] = [];
      yauzl.fromBuffer(Buffer.from(zip), (error, opened) => {
        if (error) return reject(error);
        opened.on("entry", (entry) => seen.push([entry.fileName, entry.uncompressedSize]));
        opened.on("end", () => resolve(seen));
        opened.on("error", reject);
      });
    });
    expect(sizes).toEqual(entries.map(({ name, content }) => [name, content.length]));
  });
});

describe("signing keys", () => {
  test("made here are read back and belong together", () => {
    const { privatePem, publicPem } = newKeyPair();
    const request = { keys: [], start: 0, end: 1, region: "QX" };
    const zip = makeExportZip({ ...request, signers: [{ id: "310", version: "v1", privateKey: readPrivateKey(privatePem, "a.pem") }] });
    const { signatures } = readExport(zip, [{ id: "310", version: "v1", publicKey: readPublicKey(publicPem, "b.pem") }]);
    const file = readZip(zip, ["export.bin"], 1000).get("export.bin") ?? new Uint8Array();
    expect(verifyExport(file, signatures[0].signature, readPublicKey(newKeyPair().publicPem, "c.pem"))).toBe(false);
  });

  test("of another kind are refused with a word on what is wanted, and nothing of themselves", () => {
    const { privatePem, publicPem } = newKeyPair();
    expect(() => readPublicKey(privatePem, "a.pem")).toThrow("a.pem is a private key, a public one is wanted");
    expect(() => readPrivateKey(publicPem, "a.pem")).toThrow("a.pem is no private key in PEM. Make one with: tracelet keys make --new-key NAME");
    const ed25519 = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    expect(() => readPublicKey(ed25519, "a.pem")).toThrow("a.pem is not on the curve P-256");
    expect(() => readPublicKey("nonsense", "a.pem")).toThrow("a.pem is no public key in PEM or base64 SPKI");
  });
});
