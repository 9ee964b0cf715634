import { expect, test } from "vitest";
import { decodePacket, encodePacket, isPlainText } from "../../../protocols/bluetrace/packet.ts";
import { loadVectors } from "../../support/vectors.ts";

const vectors = loadVectors("bluetrace.json");
const ID = vectors.tempid[0].tempid;

/** A text's bytes in UTF-8, a character each, as a board has them. */
function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

test.each(vectors.packets)("$name (BT-05)", ({ role, text, expect: told }) => {
  const packet = decodePacket(octets(text), role === "central");
  expect(packet === undefined ? null : JSON.parse(JSON.stringify(packet))).toEqual(told);
});

test.each(vectors.build_packets)("$role: the packet of a $model, to the letter (BT-05)", ({ role, tempid, model, org, rssi, text }) => {
  expect(encodePacket(tempid, model, org, rssi)).toBe(text);
  expect(decodePacket(text, role === "central")).toEqual({ id: tempid, model, org, v: 2, rssi });
});

test.each([
  ["an iPhone's escaped slashes", '{"id":"a\\/b+c=","o":"X","v":2}', { id: "a/b+c=" }],
  ["an Android's escaped equals sign", '{"id":"ab\\u003d\\u003D","o":"X","v":2}', { id: "ab==" }],
  ["blanks and line ends anywhere between", ' {\r\n"id" :\t"a" , "o":"X","v" : 2 }\n', { id: "a" }],
  ["nested values in unknown fields", '{"x":{"id":"b","y":["}]",{}]},"id":"a","o":"X","v":2,"z":[[[]]]}', { id: "a" }],
  ["true, false and null in unknown fields", '{"x":null,"id":"a","o":"X","v":2,"y":true}', { id: "a" }],
  ["a name twice: the last counts", '{"id":"b","id":"a","o":"X","v":2}', { id: "a" }],
  ["an escaped quote", '{"id":"a","mp":"7\\" tablet","o":"X","v":2}', { model: '7" tablet' }],
  ["an escaped backslash before the quote", '{"id":"a","mp":"x\\\\","o":"X","v":2}', { model: "x\\" }],
  ["escaped controls and what isn't ASCII: blanks", '{"id":"a","mp":"x\\n\\u0000\\u00e9y","o":"X","v":2}', { model: "x   y" }],
  ["UTF-8 as it is", '{"id":"a","mp":"é","o":"X","v":2}', { model: octets("é") }],
  ["both names of the model: the one that is sent", '{"id":"a","md":"old","mp":"new","o":"X","v":2}', { model: "new" }],
  ["an id of 256 characters", `{"id":"${"i".repeat(256)}","o":"X","v":2}`, { id: "i".repeat(256) }],
  ["a packet of 512 bytes", `{"id":"a","o":"X","v":2}${" ".repeat(488)}`, { v: 2 }],
])("accepted: %s (BT-05)", (_, text, told) => {
  expect(decodePacket(octets(text), false)).toMatchObject(told);
});

test.each([
  ["an id of 257 characters", `{"id":"${"i".repeat(257)}","o":"X","v":2}`],
  ["a packet of 513 bytes", `{"id":"a","o":"X","v":2}${" ".repeat(489)}`],
  ["512 characters that are more bytes", `{"id":"a","mp":"${"é".repeat(250)}","o":"X","v":2}`],
  ["an id of blanks", '{"id":"  ","o":"X","v":2}'],
  ["two objects", '{"id":"a","o":"X","v":2}{}'],
  ["something behind", '{"id":"a","o":"X","v":2}\0'],
  ["single quotes", "{'id':'a','o':'X','v':2}"],
  ["names without quotes", '{id:"a",o:"X",v:2}'],
  ["a comma too many", '{"id":"a","o":"X","v":2,}'],
  ["a comma too few", '{"id":"a" "o":"X","v":2}'],
  ["a value too few", '{"id":"a","o":"X","v":2,"x":}'],
  ["a text behind a value", '{"id":"a","o":"X","v":2"x"}'],
  ["a raw line end in a text", '{"id":"a\n","o":"X","v":2}'],
  ["an escape that is none", '{"id":"a\\x41","o":"X","v":2}'],
  ["half an escape", '{"id":"a\\u00","o":"X","v":2}'],
  ["half a version", '{"id":"a","o":"X","v":2.5}'],
  ["a version in hexadecimal", '{"id":"a","o":"X","v":0x2}'],
  ["a version with a blank", '{"id":"a","o":"X","v":" 2"}'],
  ["no version", '{"id":"a","o":"X"}'],
  ["a model that is a number", '{"id":"a","mp":5,"o":"X","v":2}'],
  ["brackets without end", `{"x":${"[".repeat(400)}`],
  ["brackets in a row", `{"x":${"[".repeat(240)}${"]".repeat(240)}}`],
  ["an empty object", "{}"],
  ["null", "null"],
])("rejected: %s (BT-05, COM-03)", (_, text) => {
  expect(decodePacket(octets(text), false)).toBeUndefined();
});

test.each([
  [-127, true],
  [20, true],
  [-128, false],
  [21, false],
])("an RSSI of %i dBm: %j (BT-05)", (rssi, accepted) => {
  for (const told of [`"rs":${rssi}`, `"rc":"${rssi}"`])
    expect(decodePacket(`{"id":"a",${told},"o":"X","v":2}`, true)?.rssi).toBe(accepted ? rssi : undefined);
});

test("what a phone writes to us and what we read from it differ by its RSSI alone (BT-05)", () => {
  const asPeripheral = encodePacket(ID, "device", "QX_HAI");
  expect(decodePacket(asPeripheral, true)).toBeUndefined();
  expect(decodePacket(encodePacket(ID, "device", "QX_HAI", -50), false)).toMatchObject({ id: ID, rssi: undefined });
});

test("a model has at most 32 plain characters, and an error tells nothing of the TempID (BT-12, COM-06)", () => {
  expect(isPlainText("m".repeat(32), 32)).toBe(true);
  expect(isPlainText("m".repeat(33), 32)).toBe(false);
  for (const model of ["", 'a"b', "a\\b", "a\nb", "é", "m".repeat(33)]) expect(() => encodePacket(ID, model, "QX_HAI")).toThrow(/^model: 1 to 32/);
  for (const [id, org] of [
    [ID, ""],
    [ID, "Ä"],
    ["i".repeat(257), "QX_HAI"],
  ])
    expect(() => encodePacket(id, "device", org)).toThrow(/^id, org: up to 256 and 64 ASCII characters$/);
});
