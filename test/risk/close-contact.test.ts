import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLOSE_CONTACT, closeContacts, type OpenedRecord } from "../../host-tools/risk/close-contact.ts";

const BEGIN = 1591574400;
const every = (step: number, count: number, more: Partial<OpenedRecord> = {}): OpenedRecord[] =>
  Array.from({ length: count }, (_, i) => ({ contact: "a", heardAt: BEGIN + i * step, attenuation: 60, ...more }));

describe("close contacts by BlueTrace records", () => {
  test("a record a minute makes a close contact from 15 records on", () => {
    expect(closeContacts(every(60, 14))).toEqual([{ contact: "a", day: BEGIN / 86400, records: 14, seconds: 840, isClose: false }]);
    expect(closeContacts(every(60, 15))[0]).toMatchObject({ seconds: 900, isClose: true });
  });

  test("a weak record counts for nothing, but keeps the contact going; a long silence doesn't count", () => {
    const [weak, near] = [CLOSE_CONTACT.attenuationBelow, CLOSE_CONTACT.attenuationBelow - 1];
    const mixed = [near, weak, near].map((attenuation, i) => ({ contact: "a", heardAt: BEGIN + 120 * i, attenuation }));
    expect(closeContacts(mixed)[0].seconds).toBe(60 + 120);
    expect(closeContacts(every(360, 3))[0].seconds).toBe(60 + 360 + 360);
    expect(closeContacts(every(361, 3))[0].seconds).toBe(60 * 3);
  });

  test("each person and each UTC day counts apart", () => {
    const days = closeContacts([
      ...every(60, 20, { contact: "b" }),
      ...every(60, 16),
      ...every(60, 3).map((one) => ({ ...one, heardAt: one.heardAt + 86400 })),
    ]);
    expect(days.map(({ contact, day, isClose }) => [contact, day - BEGIN / 86400, isClose])).toEqual([
      ["b", 0, true],
      ["a", 0, true],
      ["a", 1, false],
    ]);
  });

  test("the order of records changes nothing", () => {
    const record = fc.record({ contact: fc.constantFrom("a", "b"), heardAt: fc.nat(200_000).map((s) => BEGIN + s), attenuation: fc.nat(90) });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        expect(closeContacts([...records].reverse())).toEqual(closeContacts(records));
      }),
    );
  });
});
