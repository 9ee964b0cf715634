import fc from "fast-check";
import { expect, test } from "vitest";
import { readTeks } from "../../../host-tools/exposure-keys/keys.ts";
import { fromHex, toBase64, toHex } from "../../support/vectors.ts";

const TEK = "7921b817fdb92074df5345594273756f";
const key = (rest: object = {}) => ({ key: fromHex(TEK), transmissionRisk: 0, rollingStart: 2649312, rollingPeriod: 144, ...rest });

test("tek_data.csv of the peer tool is read past repeated headers; bad lines are named, not quoted (MH-02)", () => {
  const header = "TEK_Roll_Interval_i;TEK;TEK-base64";
  const line = `2649312;${TEK};${toBase64(fromHex(TEK))}`;
  const text = [header, line, header, `x;${TEK};AAAA`, `${line.slice(0, 30)}`, `${line}\r`, ""].join("\n");
  const read = readTeks(text, "tek_data.csv");
  expect(read.keys).toEqual([key(), key()]);
  expect(read.problems.map((problem) => problem.slice(0, 7))).toEqual(["line 4:", "line 5:"]);
  expect(JSON.stringify(read.problems)).not.toContain(TEK.slice(0, 8));
});

test("a JSON list is read, keys in hex or base64, other fields left alone", () => {
  const list = [
    { tek: TEK, rollingStart: 2649312, board: "puck-3" },
    { tek: toBase64(fromHex(TEK)), rollingStart: 2649312, rollingPeriod: 70, transmissionRisk: 3, reportType: 1, daysSinceOnset: -2 },
  ];
  expect(readTeks(` ${JSON.stringify(list)}`, "teks.json").keys).toEqual([
    key(),
    key({ rollingPeriod: 70, transmissionRisk: 3, reportType: 1, daysSinceOnset: -2 }),
  ]);
  expect(readTeks("[]", "teks.json").keys).toEqual([]);
});

test.each([
  ["a JSON list cut off", `[{"tek":"${TEK}","rollingS`, "teks: begins"],
  ["a key of 15 bytes", JSON.stringify([{ tek: TEK.slice(2), rollingStart: 1 }]), "entry 1, tek: 32 hex digits or the base64 of 16 bytes expected"],
  [
    "a period of 145",
    JSON.stringify([
      { tek: TEK, rollingStart: 1 },
      { tek: TEK, rollingStart: 1, rollingPeriod: 145 },
    ]),
    "entry 2, rollingPeriod",
  ],
  ["an object", JSON.stringify({ tek: TEK }), "teks: "],
  ["a text", "Dear all", "teks has no TEK in it (line 1: 3 columns expected, got 1)"],
])("%s is refused with the place and what is expected, and without the key (COM-06)", (_, text, message) => {
  let said = "";
  try {
    readTeks(text, "teks");
  } catch (error) {
    said = (error as Error).message;
    expect(error).toMatchObject({ name: "FormatError", code: "bad_teks" });
  }
  expect(said).toContain(message.replace("teks: begins", "teks begins"));
  expect(said).toContain("Expected: ");
  expect(said).not.toContain(TEK.slice(2, 10));
});

test("any key reads back, whichever way it was written", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(7158278), (tek, rollingStart) => {
      const expected = [{ key: tek, transmissionRisk: 0, rollingStart, rollingPeriod: 144 }];
      const csv = `${rollingStart};${toHex(tek)};${toBase64(tek)}`;
      for (const text of [csv, ...[toHex(tek), toBase64(tek)].map((written) => JSON.stringify([{ tek: written, rollingStart }]))]) {
        expect(readTeks(text, "teks").keys).toEqual(expected);
      }
    }),
  );
});
