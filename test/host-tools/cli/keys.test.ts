import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { register } from "../../../host-tools/cli/keys.ts";
import { readExport } from "../../../host-tools/exposure-keys/export-zip.ts";
import { readPublicKey } from "../../../host-tools/exposure-keys/signature.ts";
import { fromBase64, fromHex, loadVectors, toBase64 } from "../../support/vectors.ts";

const vectors = loadVectors("gaen_export.json");
const TEKS = ["7921b817fdb92074df5345594273756f", "75c734c6dd1a782de7a965da5eb93125"];
const row = (tek: string, start: number) => `${start};${tek};${toBase64(fromHex(tek))}\n`;

let folder: string;
const at = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-keys-"));
  writeFileSync(at("tek_data.csv"), `TEK_Roll_Interval_i;TEK;TEK-base64\n${row(TEKS[0], 2649312)}${row(TEKS[1], 2649456)}${row(TEKS[0], 2649312)}`);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a command line; what it printed on stdout and stderr. */
async function run(...args: string[]): Promise<{ out: string; err: string }> {
  const printed = { out: "", err: "" };
  const keep = (stream: "out" | "err") => (text: string | Uint8Array) => {
    printed[stream] += text;
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(keep("out")),
    vi.spyOn(process.stderr, "write").mockImplementation(keep("err")),
  ];
  try {
    const program = new Command().exitOverride();
    register(program);
    await program.parseAsync(["keys", ...args], { from: "user" });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return printed;
}

describe("keys make", () => {
  test("makes a zip of tek_data.csv, signed with a new key that only its owner may read", async () => {
    const { out } = await run("make", "--teks", at("tek_data.csv"), "--out", at("export.zip"), "--new-key", at("authority"), "--region", "QX");
    expect(out.replaceAll(folder, "")).toBe(
      [
        "/export.zip: 2 keys, in use from 2020-05-16 00:00 to 2020-05-18 00:00 UTC",
        "Signed as id 310 version v1.",
        "New signing key: /authority.private.pem (keep it secret). Readers get /authority.public.pem.",
        "",
      ].join("\n"),
    );
    expect(statSync(at("authority.private.pem")).mode & 0o777).toBe(0o600);
    const publicKey = readPublicKey(readFileSync(at("authority.public.pem"), "utf8"), "authority");
    const { content, verifiedBy } = readExport(readFileSync(at("export.zip")), [{ id: "310", version: "v1", publicKey }]);
    expect(verifiedBy?.id).toBe("310");
    expect(content).toMatchObject({ region: "QX", start: 2649312 * 600, end: 2649600 * 600, batchNumber: 1, batchSize: 1 });
    expect(content.keys.map((key) => Buffer.from(key.key).toString("hex"))).toEqual([...TEKS].sort());
  });

  test("signs with a key that is there, takes several files, and tells a program in JSON what it did", async () => {
    await run("make", "--teks", at("tek_data.csv"), "--out", at("first.zip"), "--new-key", at("authority"));
    writeFileSync(at("teks.json"), JSON.stringify([{ tek: TEKS[0], rollingStart: 2649600, rollingPeriod: 70, reportType: 1 }]));
    const more = ["--sign", at("authority.private.pem"), "--key-id", "999", "--key-version", "v2", "--json"];
    const { out } = await run("make", "--teks", at("tek_data.csv"), at("teks.json"), "--out", at("second.zip"), ...more);
    expect(JSON.parse(out)).toEqual({
      out: at("second.zip"),
      keys: 3,
      start: 2649312 * 600,
      end: 2649670 * 600,
      region: "XX",
      signedBy: { id: "999", version: "v2" },
      newKey: null,
    });
    const publicKey = readPublicKey(readFileSync(at("authority.public.pem"), "utf8"), "authority");
    expect(readExport(readFileSync(at("second.zip")), [{ id: "999", version: "v2", publicKey }]).content.keys).toHaveLength(3);
  });

  test("writes a bare export.bin where the name says so, the same every time", async () => {
    const { out } = await run("make", "--teks", at("tek_data.csv"), "--out", at("a.bin"));
    await run("make", "--teks", at("tek_data.csv"), "--out", at("b.bin"));
    expect(out).toContain("Not signed");
    expect(readFileSync(at("a.bin"))).toEqual(readFileSync(at("b.bin")));
  });

  test("names lines that it passed over on stderr, and says no key (COM-06)", async () => {
    writeFileSync(at("torn.csv"), `${row(TEKS[0], 2649312)}2649456;${TEKS[1].slice(0, 20)}`);
    const { out, err } = await run("make", "--teks", at("torn.csv"), "--out", at("a.bin"));
    expect(err.replaceAll(folder, "")).toBe("/torn.csv: line 2: 3 columns expected, got 2; passed over\n");
    for (const tek of TEKS) expect(out + err).not.toContain(tek.slice(0, 8));
  });

  test.each([
    ["neither key nor new key", ["--out", "export.zip"], "no_key", 2],
    ["a key and a new key", ["--out", "export.zip", "--sign", "a", "--new-key", "b"], "two_keys", 2],
    ["a signature for a bare file", ["--out", "export.bin", "--new-key", "b"], "no_signature", 2],
    ["a region that nobody can type", ["--out", "export.bin", "--region", "\u0007"], "bad_name", 2],
    ["a key that is not there", ["--out", "export.zip", "--sign", "/nowhere.pem"], "no_file", 2],
    ["a folder that is not there", ["--out", "/nowhere/at/all/export.bin"], "no_file", 2],
  ])("refuses %s", async (_, args, code, exitCode) => {
    const placed = args.map((arg) => (arg.startsWith("export") ? at(arg) : arg));
    await expect(run("make", "--teks", at("tek_data.csv"), ...placed)).rejects.toMatchObject({ code, exitCode });
    expect(existsSync(at("export.zip"))).toBe(false);
  });

  test("never overwrites a signing key, and finds a file without TEKs odd", async () => {
    writeFileSync(at("mine.public.pem"), "precious");
    const args = ["make", "--teks", at("tek_data.csv"), "--out", at("export.zip"), "--new-key", at("mine")];
    await expect(run(...args)).rejects.toMatchObject({ code: "key_exists" });
    expect([readFileSync(at("mine.public.pem"), "utf8"), existsSync(at("mine.private.pem"))]).toEqual(["precious", false]);
    writeFileSync(at("empty.json"), "[]");
    await expect(run("make", "--teks", at("empty.json"), "--out", at("a.bin"))).rejects.toMatchObject({ code: "no_teks" });
  });
});

describe("keys show", () => {
  const own = vectors.own[0];
  beforeEach(() => {
    writeFileSync(at("export.zip"), fromBase64(own.zip_b64));
    writeFileSync(at("key.b64"), own.public_key_spki_b64);
  });

  test("tells what a file contains, of each key only the first digits (COM-06)", async () => {
    const { out } = await run("show", at("export.zip"));
    expect(out).toBe(
      [
        "export.zip: 5 keys, 1 revised",
        "  covers     2020-06-08 00:00 to 2020-06-09 00:00 UTC",
        "  region     QX, file 1 of 1",
        "  signed by  id 310 version v1 (not checked, give --public-key to do so)",
        "  key    in use from, UTC  intervals  risk  report          days since onset",
        "  1e0d…  2020-06-07 00:00  70         0     clinical        14",
        "  68e9…  2020-06-06 00:00  144        0     -               -",
        "  9138…  2020-06-06 00:00  144        8     confirmed test  0",
        "  aac7…  2020-05-25 02:40  144        0     self report     -14",
        "  c9b0…  2020-06-05 00:00  144        1     confirmed test  -3",
        "  f4c2…  2020-06-06 00:00  144        0     revoked         1                 revised",
        "",
      ].join("\n"),
    );
  });

  test("checks the signature where it is given a key, and shows nothing of a file that fails (GAEN-21)", async () => {
    expect((await run("show", at("export.zip"), "--public-key", at("key.b64"))).out).toContain("(checked: id 310 version v1 is good)");
    const changed = fromBase64(vectors.negative.cases[0].zip_b64);
    writeFileSync(at("changed.zip"), changed);
    await expect(run("show", at("changed.zip"), "--public-key", at("key.b64"))).rejects.toMatchObject({ code: "bad_signature", exitCode: 1 });
  });

  test("prints whole keys only with --reveal, in JSON too", async () => {
    const whole = own.decoded.keys.map((key: { key: string }) => key.key);
    const shown = async (...args: string[]) => JSON.parse((await run("show", at("export.zip"), "--json", ...args)).out);
    expect((await shown()).keys.map((key: { key: string }) => key.key)).toEqual(whole.map((key: string) => `${key.slice(0, 4)}…`));
    const revealed = await shown("--reveal");
    expect(revealed.keys.map((key: { key: string }) => key.key)).toEqual(whole);
    expect(revealed).toMatchObject({ region: "QX", verified: false, signatures: [{ id: "310", version: "v1" }], start: 1591574400 });
  });

  test("of a file that isn't there says so", async () => {
    await expect(run("show", at("none.zip"))).rejects.toMatchObject({ code: "no_file" });
  });
});
