import { expect, test } from "vitest";
import { decode, parseHex } from "../../host-tools/decode/decode.ts";
import { explanationText } from "../../host-tools/decode/explanation.ts";
import { VALUE_KINDS } from "../../host-tools/decode/values.ts";
import { ToolError } from "../../host-tools/errors.ts";
import { fromHex, loadVectors, toHex } from "../support/vectors.ts";
import { ensure, fuzz } from "./fuzz.ts";

const adverts = loadVectors("ble_adverts.json");
const smartbeacon = loadVectors("smartbeacon.json");
const corpus = [
  ...loadVectors("bluetrace.json").packets.map(({ text }) => Buffer.from(text).toString("hex")),
  ...loadVectors("bluetrace.json").tempid.map(({ wire }) => wire),
  ...loadVectors("opencovidtrace.json").payload.map(({ value }) => value),
  ...[...adverts.accept, ...adverts.reject].map(({ hex }) => hex),
  ...smartbeacon.message_c.map(({ message }) => message),
  ...smartbeacon.compact.map(({ payload }) => payload),
  ...smartbeacon.fernet_variant.map(({ raw }) => raw),
  ...smartbeacon.store.map(({ record }) => record),
  ...smartbeacon.phone_ref.flatMap(({ phone_ref }) => [phone_ref, phone_ref + smartbeacon.message_c[0].message]),
].map(fromHex);

test("explanations: every byte is in one field, in order, or a refusal says why", () => {
  const kinds = [undefined, "advertisement", ...Object.keys(VALUE_KINDS)];
  const told = new Set<string>();
  fuzz(corpus, 120, (input, draw) => {
    try {
      const explanation = decode(input, kinds[draw(kinds.length)]);
      told.add(explanation.what);
      let at = 0;
      for (const { offset, length, hex } of explanation.fields) {
        ensure(offset === at && length > 0 && hex === toHex(input.subarray(at, at + length)), "a gap, an overlap or other bytes");
        at += length;
      }
      ensure(at === input.length, "bytes left out");
      ensure(explanationText(explanation).length > 0, "no text");
    } catch (error) {
      if (!(error instanceof ToolError)) throw error;
    }
  });
  for (const kind of [...Object.keys(VALUE_KINDS), "gaen", "ct10", "dp3t", "qb-fragment", "unknown"]) expect(told).toContain(kind);
});

test("hexadecimal digits: any text is read or refused", () => {
  fuzz(
    [Buffer.from("02 01 1a"), Buffer.from("0x02:01"), Buffer.from("3e9a0A")],
    40,
    (input) => {
      const text = Buffer.from(input).toString("latin1");
      try {
        ensure(toHex(parseHex(text)) === text.replace(/0x|[\s:]/gi, "").toLowerCase(), "other bytes");
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
      }
    },
    // most inputs are refused, and an error takes its time
  );
});
