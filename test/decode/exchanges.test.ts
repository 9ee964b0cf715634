import { expect, test } from "vitest";
import { decode } from "../../host-tools/decode/decode.ts";
import { fromHex, loadVectors } from "../support/vectors.ts";

const blueTrace = loadVectors("bluetrace.json");
const openCovidTrace = loadVectors("opencovidtrace.json");
const told = (text: string) => decode(Buffer.from(text)).fields[0].means;

test("BlueTrace's packets tell themselves, and say who sent them and what a device would make of them (BT-05)", () => {
  const [peripheral, central] = blueTrace.build_packets;
  expect(decode(Buffer.from(peripheral.text))).toMatchObject({ what: "bt-packet", length: peripheral.text.length, notes: [] });
  expect(told(peripheral.text)).toBe('a peripheral\'s; authority "QX_HAI", model "Puck.js", version 2, TempID of 84 characters');
  expect(told(central.text)).toBe(
    'a central\'s, which hears this device with -61 dBm; authority "QX_HAI", model "Raspberry Pi", version 2, TempID of 84 characters',
  );
  expect(told('{"id":"a"}')).toBe("rejected: a device stores nothing of it");
  // a stranger's text can't break a line
  expect(told('{"id":"a","mp":"x\\u000ay","o":"X","v":2}')).toContain('model "x y"');
});

test("a TempID and OpenCovidTrace's value are told by their length, field by field (BT-01, OCT-01)", () => {
  const [{ wire, ciphertext, iv, tag }] = blueTrace.tempid;
  const tempId = decode(fromHex(wire));
  expect([tempId.what, ...tempId.fields.map(({ hex }) => hex)]).toEqual(["temp-id", ciphertext, iv, tag]);
  const [{ value }] = openCovidTrace.payload;
  const payload = decode(fromHex(value));
  expect([payload.what, ...payload.fields.map(({ name, hex }) => `${name} ${hex}`)]).toEqual([
    "oct-value",
    `rolling id ${value.slice(0, 32)}`,
    `meta ${value.slice(32)}`,
  ]);
  for (const { value: bad } of openCovidTrace.payload_bad) expect(() => decode(fromHex(bad), "oct-value")).toThrow(/^oct-value: 32 bytes, got/);
});
