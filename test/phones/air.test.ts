import { expect, test } from "vitest";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import { AirRadio } from "../../host-tools/phones/air-radio.ts";
import { BlueTracePhone } from "../../host-tools/phones/bluetrace-phone.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { type Hostility, VirtualPhone } from "../../host-tools/simulator/phone.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { encodeTempId, packTempId } from "../../protocols/bluetrace/temp-id.ts";

const NOW = 1588320000;

function repeatable(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 24;
    });
}

/** Phones in the virtual air, each somewhere. */
function meeting(phones: { x: number; mtu?: number; service?: number; hostile?: Hostility }[]) {
  const clock = new VirtualClock(NOW);
  const air = new Air({ clock, seed: 1, model: { shadowingDb: 0, ricianKDb: 60, lossProbability: 0 } });
  const made = phones.map(({ x, mtu, service = 0, hostile }, i) => {
    const randomBytes = repeatable(i + 1);
    const virtual = new VirtualPhone({
      air,
      name: `phone ${i}`,
      address: `d0:00:00:00:00:0${i} random`,
      ...(mtu ? { mtu } : {}),
      ...(hostile ? { hostile } : {}),
    });
    air.place(virtual, { x, y: 0 });
    const radio = new AirRadio(virtual, randomBytes, service);
    const phone = new BlueTracePhone({ clock, radio, randomBytes, org: "QX_HAI", model: `phone ${i}`, service: SERVICES[service] });
    radio.attach(phone);
    const { tempIDs } = makeBatch(new Uint8Array(32), Buffer.alloc(21, i).toString("base64"), NOW);
    phone.useTempIds(
      Buffer.concat(tempIDs.map(({ tempID, startTime, expiryTime }) => encodeTempId(startTime, expiryTime, packTempId(tempID)!))),
      NOW + 43200,
    );
    phone.start();
    return { phone, virtual };
  });
  const run = (seconds: number) => clock.drive(new Promise<void>((resolve) => void clock.after(seconds, resolve)), { limit: seconds + 1 });
  return { clock, phones: made, run };
}

test.each([
  23, 185, 512,
])("two phones with an MTU of %i exchange their packets over the virtual air, byte for byte by the Attribute Protocol (BT-05, BT-06, BT-07)", async (mtu) => {
  const { phones, run } = meeting([
    { x: 0, mtu },
    { x: 2, mtu, service: 2 },
  ]);
  await run(30);
  const [a, b] = phones.map(({ phone }) => phone.records);
  expect(a.length).toBeGreaterThan(0);
  expect(b).toHaveLength(a.length);
  expect(a[0]).toMatchObject({ org: "QX_HAI", v: 2, msg: expect.stringMatching(/^[A-Za-z0-9+/]{82}==$/) });
  expect(b.map(({ rssi }) => rssi)).toEqual(a.map(({ rssi }) => rssi));
  expect(a[0].rssi).toBeLessThan(-30);
  expect(phones.map(({ virtual }) => virtual.links.length)).toEqual([0, 0]);
});

test("a phone's address is private and resolvable, and changes in the second in which its TempID does (BT-10)", async () => {
  const { phones, run } = meeting([{ x: 0 }]);
  const [{ virtual }] = phones;
  const seen: string[] = [];
  for (let minute = 0; minute < 30; minute++) {
    await run(60);
    seen.push(virtual.address);
  }
  for (const address of seen) expect(address).toMatch(/^[4-7][0-9a-f](:[0-9a-f]{2}){5} private-resolvable$/);
  // TempIDs begin a minute before the hour's quarters
  expect(seen.map((address, i) => i > 0 && address !== seen[i - 1]).flatMap((changed, i) => (changed ? [i] : []))).toEqual([13, 28]);
});

test("phones out of reach store nothing; one that comes near is met within a cycle (BT-08)", async () => {
  const { phones, run } = meeting([{ x: 0 }, { x: 5000 }]);
  await run(60);
  expect(phones.map(({ phone }) => phone.records.length)).toEqual([0, 0]);
  phones[1].virtual.air.place(phones[1].virtual, { x: 1, y: 0 });
  await run(60);
  for (const { phone } of phones) expect(phone.records.length).toBeGreaterThan(0);
});

test.each<[string, Hostility]>([
  ["answers nothing", { mute: true }],
  ["answers each request after three seconds", { answerSeconds: 3 }],
  ["demands to pair", { bonding: "demands" }],
])("a peer that %s costs no more than its time; others are met as ever (BT-07, BT-08, BT-11)", async (_, hostile) => {
  const { phones, run } = meeting([{ x: 0 }, { x: 1, hostile }, { x: 3 }]);
  await run(150);
  const met = phones[0].phone.records.flatMap(({ modelP, modelC }) => [modelP, modelC]);
  expect(met).toContain("phone 2");
});
