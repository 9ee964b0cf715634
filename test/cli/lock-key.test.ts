import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { chooseLockKey, createKeyFile, keyOfPassword, readKeyFile, readPassword } from "../../host-tools/cli/lock-key.ts";
import { run } from "../../host-tools/cli/program.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-lock-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const thrown = (work: () => unknown): { code: string; message: string; exitCode: number } => {
  try {
    work();
  } catch (error) {
    return error as { code: string; message: string; exitCode: number };
  }
  throw new Error("it succeeded");
};

describe("a lock key", () => {
  test("goes into a new file that its owner alone may read, and comes back out of it", () => {
    const file = join(folder, "one.key");
    const key = createKeyFile(file);
    expect(key).toHaveLength(16);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readKeyFile(file)).equals(key)).toBe(true);
    expect(createKeyFile(join(folder, "two.key"))).not.toEqual(key);
  });

  test("is never written over another", () => {
    const file = join(folder, "kept.key");
    createKeyFile(file);
    const before = readFileSync(file, "latin1");
    expect(thrown(() => createKeyFile(file))).toMatchObject({ code: "key_exists", exitCode: 2 });
    expect(readFileSync(file, "latin1")).toBe(before);
  });

  test.each([
    "",
    "0123",
    "zz".repeat(16),
    "00".repeat(16),
    "11".repeat(17),
  ])("is not read out of %j, and the message does not repeat it", (content) => {
    const file = join(folder, "bad.key");
    writeFileSync(file, content);
    const { code, message } = thrown(() => readKeyFile(file));
    expect(code).toBe("bad_key");
    if (content) expect(message).not.toContain(content);
  });

  test("of a password is always the same, and too short a one is refused", () => {
    // made once with another implementation of scrypt (RFC 7914), Python's hashlib
    expect(Buffer.from(keyOfPassword("correct horse battery staple")).toString("hex")).toBe("6eb60e23d3fe5f40570029cc6019f1f6");
    expect(thrown(() => keyOfPassword("tiger"))).toMatchObject({ code: "bad_password" });
  });

  test("is chosen by option, else by the environment, else there is none", async () => {
    const [named, other] = [join(folder, "named.key"), join(folder, "other.key")];
    const [first, second] = [createKeyFile(named), createKeyFile(other)];
    vi.stubEnv("TRACELET_KEY_FILE", other);
    expect(Buffer.from((await chooseLockKey({ keyFile: named }))!).equals(first)).toBe(true);
    expect(Buffer.from((await chooseLockKey({}))!).equals(second)).toBe(true);
    vi.stubEnv("TRACELET_KEY_FILE", "");
    expect(await chooseLockKey({})).toBeUndefined();
    vi.unstubAllEnvs();
  });

  test("can be piped as a password, one line of it", async () => {
    const input = Readable.from(["a long password\nand more\n"]) as unknown as NodeJS.ReadStream;
    expect(await readPassword(input)).toBe("a long password");
  });
});

test.each([
  [["lock", "--port", "x"], "--key-file"],
  [["unlock", "--port", "x"], "TRACELET_KEY_FILE"],
  [["status", "--port", "x", "--key-file", "/nowhere/a.key"], "can't be read"],
  [["status", "--port", "x", "--key-file", "a", "--password-stdin"], "one of them"],
  [["build", "--board", "puckjs", "--role", "beacon", "--protocol", "gaen", "--without", "colour"], "no feature is called"],
])("%j is wrong usage, in one line that says what is right", async (argv, words) => {
  let err = "";
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    err += String(chunk);
    return true;
  });
  const exit = await run(argv).finally(() => spy.mockRestore());
  expect(exit).toBe(2);
  expect(err).toMatch(/^tracelet: [^\n]*\n$/);
  expect(err).toContain(words);
});
