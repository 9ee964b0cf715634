import { afterEach, describe, expect, test } from "vitest";
import { SeededRandom } from "../../host-tools/simulator/seeded-random.ts";
import { decodeAdvertisement, encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import { recordsOf, recordsOfKind } from "../support/flash-log.ts";
import { beacon } from "../support/observer.ts";
import { fromHex, loadVectors, type Row, toHex } from "../support/vectors.ts";
import { expectQuietConsoles, status, WornWorld } from "../support/worn-boards.ts";

const vectors = loadVectors("ble_adverts.json");

afterEach(expectQuietConsoles);

/** Each packet is sent by a station of its own for two scans; answers what the board made of it. */
async function logOf(seed: number, packets: Uint8Array[]) {
  const world = new WornWorld(seed);
  const board = await world.wear({ x: 0, y: 0 });
  for (const [i, packet] of packets.entries()) {
    const angle = (i / packets.length) * 2 * Math.PI;
    beacon(world.air, `stranger ${i}`, { x: Math.cos(angle), y: Math.sin(angle) }, packet);
  }
  world.pass(500);
  for (let i = 0; i < packets.length; i++) world.air.station(`stranger ${i}`).advertise(undefined);
  world.pass(1000);
  const heard = new Set(world.heardBy(board).map(({ data }) => toHex(data)));
  return { board, heard, encounters: recordsOfKind(board, "encounter") };
}

describe("of all that is in the air only GAEN's advertisements are logged (BLE-03, BLE-04)", () => {
  const legacy = (row: Row) => row.hex.length <= 62;
  const accepted = vectors.accept.filter((row) => legacy(row) && row.expect.protocol === "gaen");
  const others = [...vectors.accept.filter((row) => legacy(row) && row.expect.protocol !== "gaen"), ...vectors.reject.filter(legacy)];

  test.each(accepted.map((row): [string, Row] => [row.name, row]))("%s", async (_, row) => {
    const { encounters, heard } = await logOf(101, [fromHex(row.hex)]);
    expect(heard.size).toBe(1);
    expect(encounters.map(({ rpi, aem }) => [toHex(rpi), toHex(aem)])).toEqual([[row.expect.rpi, row.expect.aem]]);
  });

  test("nothing of other protocols, and nothing of what is almost GAEN", async () => {
    expect(others.length).toBeGreaterThan(25);
    const { board, encounters, heard } = await logOf(
      102,
      others.map(({ hex }) => fromHex(hex)),
    );
    expect(heard.size).toBe(new Set(others.map(({ hex }) => hex)).size);
    expect(encounters).toEqual([]);
    expect(status(board)).toMatchObject({ n: 0, op: 0, er: [0, 0, 0] });
  });

  test("connectable ones and other intervals change nothing", async () => {
    const world = new WornWorld(103);
    const board = await world.wear({ x: 0, y: 0 });
    const rpi = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    const data = encodeAdvertisement(rpi, Uint8Array.of(1, 2, 3, 4), FLAGS);
    beacon(world.air, "phone", { x: 1, y: 0 }, data, { connectable: true, scannable: true, intervalMs: 90, scanResponse: fromHex("0409414243") });
    world.pass(10);
    world.air.station("phone").advertise(undefined);
    world.pass(1000);
    expect(recordsOfKind(board, "encounter").map((record) => toHex(record.rpi))).toEqual([toHex(rpi)]);
  });
});

describe("whatever bytes come, no error reaches the console (COM-03)", () => {
  test("random bytes", async () => {
    const random = new SeededRandom(104);
    const byte = () => Math.floor(random.next() * 256);
    const packets = Array.from({ length: 150 }, () => Uint8Array.from({ length: Math.floor(random.next() * 32) }, byte));
    const { encounters } = await logOf(104, packets);
    expect(encounters.map(({ rpi }) => toHex(rpi)).sort()).toEqual(
      packets
        .flatMap((packet) => decodeAdvertisement(packet)?.rpi ?? [])
        .map(toHex)
        .sort(),
    );
  });

  test("GAEN's with bytes changed: logged are those that the protocol's own decoder takes", async () => {
    const random = new SeededRandom(105);
    const packets = Array.from({ length: 90 }, (_, i) => {
      const rpi = Uint8Array.from({ length: 16 }, () => Math.floor(random.next() * 256));
      const packet = encodeAdvertisement(rpi, Uint8Array.of(i, 2, 3, 4), i % 2 === 0 ? FLAGS : undefined).slice();
      // most of them before the identifier
      for (let changes = i % 3; changes > 0; changes--) packet[Math.floor(random.next() * 12)] = Math.floor(random.next() * 32);
      return packet.subarray(0, packet.length - (i % 7 === 0 ? 1 : 0));
    });
    const expected = packets.flatMap((packet) => decodeAdvertisement(packet)?.rpi ?? []).map(toHex);
    expect(expected.length).toBeGreaterThan(25);
    expect(expected.length).toBeLessThan(75);
    const { encounters } = await logOf(105, packets);
    expect(encounters.map(({ rpi }) => toHex(rpi)).sort()).toEqual(expected.sort());
  });

  test("identifiers of equal bytes, all zero and all one", async () => {
    const packets = [0, 0xff, 0x80, 0x7f].map((byte) => encodeAdvertisement(new Uint8Array(16).fill(byte), new Uint8Array(4).fill(byte), FLAGS));
    const { board, encounters } = await logOf(106, packets);
    expect(encounters.map(({ rpi }) => rpi[0]).sort((a, b) => a - b)).toEqual([0, 0x7f, 0x80, 0xff]);
    expect(recordsOf(board).filter(({ kind }) => kind === "damaged")).toEqual([]);
  });

  test("two identifiers that begin with the same 4 bytes are two", async () => {
    const one = Uint8Array.from({ length: 16 }, (_, i) => i + 1);
    const other = one.map((byte, i) => (i < 4 ? byte : byte + 100));
    const { encounters } = await logOf(
      107,
      [one, other].map((rpi) => encodeAdvertisement(rpi, Uint8Array.of(1, 2, 3, 4), FLAGS)),
    );
    expect(new Set(encounters.map(({ rpi }) => toHex(rpi)))).toEqual(new Set([toHex(one), toHex(other)]));
  });
});
