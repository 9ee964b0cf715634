import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { decode, parseHex } from "../../host-tools/decode/decode.ts";
import { explanationText } from "../../host-tools/decode/explanation.ts";
import { VALUE_KINDS } from "../../host-tools/decode/values.ts";
import { tracelet } from "../support/command-line.ts";
import { fromHex, loadVectors, type Row } from "../support/vectors.ts";

const adverts = loadVectors("ble_adverts.json");
const smartbeacon = loadVectors("smartbeacon.json");
const whole = [...adverts.accept, ...adverts.reject].filter(({ name }) => name !== "empty" && name !== "lone length byte");
const fieldOf = (hex: string, name: string, as?: string) => decode(fromHex(hex), as).fields.find((field) => field.name === name);

describe("an advertisement, explained", () => {
  test.each(whole as Row[])("$name: whose it is, and every byte in one field (BLE-02)", ({ hex, length, expect: told }) => {
    const explanation = decode(fromHex(hex), "advertisement");
    expect(explanation).toMatchObject({ what: told.protocol ?? "unknown", length });
    expect(explanation.fields.map((field) => field.hex).join("")).toBe(hex);
    expect(explanation.fields.map(({ offset }) => offset)).toEqual(
      explanation.fields.map((_, i) => explanation.fields.slice(0, i).reduce((sum, one) => sum + one.length, 0)),
    );
    for (const [name, value] of [
      ["RPI", told.rpi],
      ["AEM", told.aem],
      ["EphID", told.ephid],
    ])
      if (value) expect(explanation.fields.find((field) => field.name === name)?.hex).toBe(value);
    if (typeof told.tx_power === "number") expect(explanation.fields.find(({ name }) => name === "power")?.means).toBe(`${told.tx_power} dBm`);
    if (told.uuid) expect(explanation.fields.find(({ name }) => name === "UUID")?.means).toBe(told.uuid);
  });

  test("offsets are those of the specification", () => {
    const [gaen] = adverts.accept;
    expect([fieldOf(gaen.hex, "RPI")?.offset, fieldOf(gaen.hex, "AEM")?.offset]).toEqual([11, 27]);
    const dp3t = adverts.accept.find(({ name }) => name === "DP-3T")!;
    expect([fieldOf(dp3t.hex, "power")?.offset, fieldOf(dp3t.hex, "EphID")?.offset]).toEqual([9, 14]);
    const [{ adverts: fragments }] = smartbeacon.fragments;
    expect(["type", "message id", "place", "chunk"].map((name) => fieldOf(fragments[0], name)?.offset)).toEqual([7, 8, 10, 11]);
    const [{ advert }] = smartbeacon.compact;
    expect(["type", "body", "tag"].map((name) => fieldOf(advert, name)?.offset)).toEqual([7, 8, 15]);
  });

  test("a fragment says which of how many, and whether a receiver would take it", () => {
    const [{ adverts: fragments }] = smartbeacon.fragments;
    expect(fragments.map((hex: string) => fieldOf(hex, "place")?.means)).toEqual([1, 2, 3, 4].map((n) => `fragment ${n} of 4`));
    expect(fieldOf(fragments[0].replace(/(b1....)03/, "$143"), "place")?.means).toBe("fragment 5 of 4; receivers refuse it: bad-index");
  });

  test("bytes that no structure holds are shown as what they are", () => {
    expect(fieldOf("02010603", "rest", "advertisement")?.means).toBe("cut off: a structure that would pass the end, ignored");
    expect(fieldOf("0201060000", "rest")?.means).toBe("behind the end: a length of zero");
    expect(fieldOf("0403006868", "rest")?.means).toBe("less than a UUID");
    expect(decode(fromHex("02010603"), "advertisement").notes).toContain("no protocol that Tracelet knows claims it");
  });
});

describe("a value, explained", () => {
  const [{ message }] = smartbeacon.message_c;
  const [{ payload }] = smartbeacon.compact;
  const [{ raw, time }] = smartbeacon.fernet_variant;
  const [{ record }] = smartbeacon.store;
  const values: [string, string, string | undefined][] = [
    ["message-c", message, undefined],
    ["compact-token", payload, undefined],
    ["fernet", raw, undefined],
    ["day-record", record, undefined],
    ["dp3t-id", "eb0958c011492732c59e3ed2a5eef01d", undefined],
    ["forwarded", "00".repeat(16) + message, undefined],
    ["forwarded", "00".repeat(16) + payload, "forwarded"],
  ];

  test.each(values)("%s", (kind, hex, as) => {
    const explanation = decode(fromHex(hex), as);
    expect(explanation.what).toBe(kind);
    expect(explanation.fields.map((field) => field.hex).join("")).toBe(hex);
  });

  test("says what can be known without a key", () => {
    expect(fieldOf(raw, "time")?.means).toBe(`2020-06-05 10:59:59 UTC (${time}), true only if the tag is`);
    expect(fieldOf(record, "day")?.means).toBe("2020-06-05 (18418)");
    expect(fieldOf(record, "slots")?.means).toBe("present, UTC: 00:00-00:15, 11:55-12:05, 23:55-24:00");
    expect(fieldOf("00".repeat(54), "slots", "day-record")?.means).toBe("nobody present");
    expect(fieldOf("80" + "ff".repeat(72), "time", "fernet")?.means).toContain("past every calendar");
  });

  test("of a length that it can't have, or that nothing tells, is refused with what would be right", () => {
    for (const [name, kind] of Object.entries(VALUE_KINDS)) expect(() => decode(new Uint8Array(1), name)).toThrow(`${name}: ${kind.lengths}, got 1`);
    expect(() => decode(new Uint8Array(17).fill(0xee))).toThrow("17 bytes that nothing tells: no advertising data and no length that is known");
    expect(() => decode(new Uint8Array(5), "nonsense")).toThrow("--as nonsense: unknown; one of advertisement, dp3t-id");
  });
});

describe("tracelet decode", () => {
  const [{ hex }] = adverts.accept;

  test("digits may come with blanks, colons, 0x and in several arguments", async () => {
    const spaced = hex.match(/../g)!;
    for (const argv of [[hex], spaced, [spaced.join(":")], [`0x${hex.toUpperCase()}`], [spaced.map((byte: string) => `0x${byte}`).join(" ")]])
      expect(JSON.parse((await tracelet("decode", "--json", ...argv)).out)).toMatchObject({ what: "gaen", length: 31 });
  });

  test("a page of the manual shows what it prints", async () => {
    const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
    const [, digits, shown] = /\$ tracelet decode (\w+)\n([^`]+)```/.exec(page)!;
    expect((await tracelet("decode", digits)).out).toBe(shown);
    expect(explanationText(decode(parseHex(digits)))).toBe(shown.trimEnd());
  });

  test.each([
    [["02zz"], 1, "bad_hex", 'not a hexadecimal digit: "z", digit 3'],
    [["020"], 1, "bad_hex", "3 digits: two a byte"],
    [["00".repeat(2049)], 1, "bad_hex", "2049 bytes: at most 2048"],
    [["--as", "advertisement", "1f01"], 1, "not_an_advertisement", "byte 0 says 31 bytes follow, and 1 do"],
    [["--as", "advertisement", " "], 1, "not_an_advertisement", "no bytes"],
    [["--as", "message-c", "00"], 1, "bad_length", "80 bytes, got 1"],
    [["--as", "fish", "00"], 2, "usage", "unknown; one of"],
    [["00"], 1, "unknown_bytes", "1 byte that nothing tells"],
  ])("%j is refused with exit code %i, %s", async (argv, exit, code, words) => {
    const said = await tracelet("decode", ...argv, "--json");
    expect([said.exit, said.out]).toEqual([exit, ""]);
    expect(JSON.parse(said.err).error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("--help lists every kind", async () => {
    const { out } = await tracelet("decode", "--help");
    for (const name of ["advertisement", ...Object.keys(VALUE_KINDS)]) expect(out).toContain(`  ${name} `);
  });
});
