import { expect, test } from "vitest";
import { addressConformance, transmitterLines } from "../../../host-tools/cli/transmitter-words.ts";
import { PRIVATE_ADDRESS, SETTING_COUNT } from "../../../protocols/settings.ts";

const settings = (privateAddress: number) => Array.from({ length: SETTING_COUNT }, (_, i) => (i === PRIVATE_ADDRESS ? privateAddress : 0));

test.each([
  [
    "a private address and machine code",
    { an: 1, ad: 1, c: settings(1), cr: "sd", sh: "th" },
    "nrpa",
    "of the chip, by way of its radio stack, SHA-256 in machine code",
  ],
  ["a static one, as usual", { an: 0, ad: 1, c: settings(0), cr: "in", sh: "in" }, "static", "of the interpreter, SHA-256 of the interpreter"],
])("the status tells of %s", (_, status, kind, crypto) => {
  expect(addressConformance(status)).toBe(kind);
  expect(transmitterLines(status)).toEqual([`  address   address_conformance: ${kind}`, `  crypto    AES ${crypto}`]);
});

test("the status tells where a private address was wanted and not had, once there is something on the air", () => {
  expect(transmitterLines({ an: 0, ad: 1, c: settings(1) })).toEqual([
    "  address   address_conformance: static; the radio stack has given no private one",
  ]);
  expect(transmitterLines({ an: 0, ad: 0, c: settings(1) })).toEqual(["  address   address_conformance: static"]);
});

test("a board that transmits nothing has no address and no SHA-256 in its status", () => {
  expect(addressConformance({})).toBeUndefined();
  expect(transmitterLines({ ad: 0, c: settings(0) })).toEqual([]);
  expect(transmitterLines({ ad: 1, c: settings(0), cr: "js" })).toEqual(["  crypto    AES in software"]);
});
