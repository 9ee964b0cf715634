import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createBeaconKey, readBeaconKey } from "../../../host-tools/smartbeacon/key-file.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-beacon-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function thrown(work: () => unknown): { code: string; message: string; cause?: unknown } {
  try {
    work();
  } catch (error) {
    return error as { code: string; message: string; cause?: unknown };
  }
  throw new Error("nothing was thrown");
}
const ID = "00112233445566778899aabbccddeeff";
const SECRET = "0f1e2d3c4b5a69788796a5b4c3d2e1f0".repeat(2);

describe("a beacon's key file", () => {
  test("is made for its owner alone, fresh each time, never in place of another, and read back", () => {
    const [one, two] = [join(folder, "one.beacon"), join(folder, "two.beacon")];
    const made = createBeaconKey(one, "single");
    expect(statSync(one).mode & 0o777).toBe(0o600);
    expect(readBeaconKey(one)).toEqual(made);
    expect([made.id.length, made.sk.length, made.mode]).toEqual([16, 32, "single"]);
    const other = createBeaconKey(two, "split");
    expect(Buffer.from(other.sk).equals(made.sk)).toBe(false);
    expect(Buffer.from(other.id).equals(made.id)).toBe(false);
    const before = readFileSync(one);
    expect(thrown(() => createBeaconKey(one, "split")).code).toBe("key_exists");
    expect(readFileSync(one).equals(before)).toBe(true);
    expect(thrown(() => createBeaconKey(join(folder, "no", "where"), "split")).code).toBe("no_file");
    expect(thrown(() => readBeaconKey(join(folder, "none"))).code).toBe("no_file");
  });

  test("takes 16 bytes of key in mode single only", () => {
    const file = join(folder, "short.beacon");
    const short = { id_beacon: ID, sk_beacon: SECRET.slice(0, 32).toUpperCase(), mode: "single" };
    writeFileSync(file, JSON.stringify(short));
    expect(readBeaconKey(file).sk).toHaveLength(16);
    writeFileSync(file, JSON.stringify({ ...short, mode: "split" }));
    expect(thrown(() => readBeaconKey(file)).code).toBe("bad_key");
  });

  test.each([
    ["nothing", ""],
    ["no JSON", `{"sk_beacon": ${SECRET}`],
    ["a list", `["${SECRET}"]`],
    ["a key of 31 bytes", JSON.stringify({ id_beacon: ID, sk_beacon: SECRET.slice(2), mode: "split" })],
    ["a key of other characters", JSON.stringify({ id_beacon: ID, sk_beacon: `${SECRET.slice(1)}g`, mode: "split" })],
    ["a key of zeros", JSON.stringify({ id_beacon: ID, sk_beacon: "0".repeat(64), mode: "split" })],
    ["an id of zeros", JSON.stringify({ id_beacon: "0".repeat(32), sk_beacon: SECRET, mode: "split" })],
    ["no id", JSON.stringify({ sk_beacon: SECRET, mode: "split" })],
    ["an unknown mode", JSON.stringify({ id_beacon: ID, sk_beacon: SECRET, mode: SECRET })],
    ["one field more", JSON.stringify({ id_beacon: ID, sk_beacon: SECRET, mode: "split", note: SECRET })],
  ])("is refused with %s in it, and the message repeats nothing of it", (_, content) => {
    const file = join(folder, "bad.beacon");
    writeFileSync(file, content);
    const { code, message, cause } = thrown(() => readBeaconKey(file));
    expect([code, cause]).toEqual(["bad_key", undefined]);
    expect(message).not.toContain(SECRET.slice(2, 14));
  });
});
