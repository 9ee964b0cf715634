import { describe, expect, test } from "vitest";
import { nrf52840dk } from "../../boards/nrf52840dk.ts";
import { pixljs } from "../../boards/pixljs.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { ERROR } from "../../host-tools/simulator/radio-core.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { fakeBoard, hex, listenIn } from "../support/fake-radio-host.ts";

const QUIET = { shadowingDb: 0, ricianKDb: 60, lossProbability: 0 };
const GAEN = [0x02, 0x01, 0x1a, 0x03, 0x03, 0x6f, 0xfd, 0x17, 0x16, 0x6f, 0xfd, ...Array.from({ length: 20 }, (_, i) => i + 1)];
const BEACON = { connectable: false, scannable: false, interval: 250 };
const STATIC = "d1:02:03:04:05:06 random";
type Device = Record<string, unknown> & { data: ArrayBuffer; serviceData: Record<string, ArrayBuffer> };

function world() {
  const clock = new VirtualClock(1_600_000_000);
  const air = new Air({ clock, seed: 1, model: QUIET });
  return { clock, air, reports: listenIn(air) };
}

/** Payloads that went out since the last call, without repetitions in a row. */
function sent(reports: ReturnType<typeof listenIn>): string[] {
  const all = reports.splice(0).map((report) => `${report.address} ${hex(report.data)}`);
  return all.filter((line, i) => line !== all[i - 1]);
}

describe("advertising", () => {
  test("a board without a script advertises its name and Espruino's company, connectable, every 375 ms", () => {
    const { clock, air, reports } = world();
    const { radio } = fakeBoard({ clock, air });
    clock.advanceTo(clock.now + 60);
    expect(reports.length).toBeGreaterThan(60 / 0.385 - 3);
    expect(reports.length).toBeLessThan(60 / 0.375 + 1);
    expect(sent(reports)).toEqual(["c0:11:22:33:a1:b2 random 02010603ff90050d095075636b2e6a732061316232"]);
    expect(radio.connectable).toBe(true);
  });

  test("the very first packet leaves at power-on, before a script can say anything", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.sleep!();
    clock.advanceTo(clock.now + 10);
    expect(reports.length).toBe(1);
  });

  test("raw bytes go out as they are, from an array, a typed array or a buffer", () => {
    for (const data of [GAEN, Uint8Array.from(GAEN), Uint8Array.from(GAEN).buffer]) {
      const { clock, air, reports } = world();
      const board = fakeBoard({ clock, air });
      clock.advanceTo(clock.now + 1);
      reports.length = 0;
      board.nrf.setAdvertising!(data, BEACON);
      clock.advanceTo(clock.now + 1);
      expect(sent(reports)).toEqual([`c0:11:22:33:a1:b2 random ${hex(GAEN)}`]);
      expect(board.radio.connectable).toBe(false);
    }
  });

  test("an object becomes flags, service data, UUID list, manufacturer data and name, in this order", () => {
    const { nrf } = fakeBoard();
    expect(hex(nrf.getAdvertisingData!({ 6153: [21], "180d": undefined }, { showName: false }) as ArrayBuffer)).toBe(
      "020106" + "0416091815" + "03030d18",
    );
    expect(hex(nrf.getAdvertisingData!({}, { name: "ab", discoverable: false }) as ArrayBuffer)).toBe("020105" + "03096162");
    expect(hex(nrf.getAdvertisingData!({}, { name: "x", flags: false }) as ArrayBuffer)).toBe("020978");
    expect(hex(nrf.getAdvertisingData!({ "6e400001-b5a3-f393-e0a9-e50e24dcca9e": undefined }, {}) as ArrayBuffer)).toBe(
      "020106" + "11079ecadc240ee5a9e093f3a3b50100406e" + "09085075636b2e6a7320",
    );
  });

  test("an object that does not fit throws, and the default packet with the name goes out instead", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!(GAEN, BEACON);
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    expect(() => board.nrf.setAdvertising!({ 64879: new Uint8Array(28) }, {})).toThrow("Advertising data too long when adding Service");
    clock.advanceTo(clock.now + 1);
    expect(sent(reports).join()).toContain("5075636b2e6a73");
  });

  test("connectable, scannable and interval stay for later calls that do not name them", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!(GAEN, { ...BEACON, interval: 1000 });
    board.nrf.setAdvertising!(GAEN, {});
    clock.advanceTo(clock.now + 3);
    reports.length = 0;
    clock.advanceTo(clock.now + 50);
    expect(reports.length).toBeGreaterThan(48);
    expect(reports.length).toBeLessThan(51);
    expect(board.radio.connectable).toBe(false);
  });

  test.each([
    [5, 20],
    [250.9, 250],
    [60_000, 10_240],
  ])("an interval of %d ms becomes %d", (asked, got) => {
    const { clock, air } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!(GAEN, { interval: asked });
    expect(board.radio.station.emission!.advertising.intervalMs).toBeCloseTo(got, 9);
  });

  test("a value whose 16 bits overflow wraps as in the interpreter", () => {
    const board = fakeBoard();
    board.nrf.setAdvertising!(GAEN, { interval: 50_000 });
    expect(board.radio.station.emission!.advertising.intervalMs).toBe(((80_000 & 0xffff) * 5) / 8);
  });

  test("S132 refuses a non-connectable beacon below 100 ms: exception, error event, silence, and a board that believes it advertises", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    const errors: unknown[] = [];
    board.nrf.on!("error", (text: unknown) => errors.push(text));
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    expect(() => board.nrf.setAdvertising!(GAEN, { ...BEACON, interval: 50 })).toThrow(/^ERR 0x7 \(INVALID_PARAM\) \(:\d+\)$/);
    clock.advanceTo(clock.now + 5);
    expect(reports).toEqual([]);
    expect(errors).toEqual(["ERR 0x7 (INVALID_PARAM)"]);
    expect(board.nrf.getSecurityStatus!()).toMatchObject({ advertising: true, connected: false });
    board.nrf.wake!();
    clock.advanceTo(clock.now + 5);
    expect(reports).toEqual([]);
    board.nrf.setAdvertising!(GAEN, { interval: 100 });
    clock.advanceTo(clock.now + 1);
    expect(reports.length).toBeGreaterThan(8);
  });

  test("Pixl.js prints the number only, S140 takes 20 ms", () => {
    expect(() => fakeBoard({ facts: pixljs }).nrf.setAdvertising!(GAEN, { ...BEACON, interval: 50 })).toThrow(/^ERR 0x7 \(:\d+\)$/);
    fakeBoard({ facts: nrf52840dk }).nrf.setAdvertising!(GAEN, { ...BEACON, interval: 20 });
  });

  test("raw data longer than 31 bytes or with a structure that is cut is refused by S132", () => {
    const { nrf } = fakeBoard();
    expect(() => nrf.setAdvertising!(new Uint8Array(32), BEACON)).toThrow("ERR 0x9 (INVALID_LENGTH)");
    expect(() => nrf.setAdvertising!([5, 0xff, 1], BEACON)).toThrow("ERR 0xb");
    expect(() => nrf.setAdvertising!(GAEN, { connectable: true, scannable: false })).toThrow("ERR 0x10 (INVALID ADDR)");
  });

  test("wrong kinds of arguments are TypeErrors", () => {
    const { nrf } = fakeBoard();
    expect(() => nrf.setAdvertising!("text", {})).toThrow("Expecting Array or Object, got String");
    expect(() => nrf.setAdvertising!([], 5)).toThrow("Expecting Object or undefined, got Number");
    expect(() => nrf.setAdvertising!({ abc: 1 }, {})).toThrow("Invalid Service UUID: UUID string should only contain hex");
  });

  test("nested arrays alternate; the first is sent twice at the start", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    board.nrf.setAdvertising!([[2, 9, 65], Uint8Array.of(2, 9, 66), { 6153: [1] }], { ...BEACON, interval: 100, showName: false, manufacturer: 0 });
    clock.advanceTo(clock.now + 0.75);
    expect(reports.map((report) => hex(report.data).slice(0, 6)).join(" ")).toMatch(/^020941 020941 020942 020106 020941 020942 020106/);
  });

  test("an array is kept by reference: a start later sends what is in it then", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    const data = Uint8Array.from(GAEN);
    board.nrf.setAdvertising!(data, BEACON);
    data.fill(0xee, 11);
    clock.advanceTo(clock.now + 1);
    expect(hex(reports.at(-1)!.data)).toBe(hex(GAEN));
    board.nrf.sleep!();
    board.nrf.wake!();
    clock.advanceTo(clock.now + 1);
    expect(hex(reports.at(-1)!.data).slice(22)).toBe("ee".repeat(20));
  });

  test("each change stops and starts, and says so; after 180 s S132 starts again by itself", () => {
    const board = fakeBoard();
    const events: unknown[] = [];
    board.nrf.on!("advertising", (on: unknown) => events.push(on));
    board.nrf.setAdvertising!(GAEN, BEACON);
    board.run(1);
    expect(events.splice(0)).toEqual([false, true]);
    board.run(180);
    expect(events.splice(0)).toEqual([true]);
    board.nrf.sleep!();
    board.run(400);
    expect(events).toEqual([false]);
  });

  test("the scan response holds the console's service, or the script's own bytes", () => {
    const { clock, air } = world();
    const active = listenIn(air, { x: 0.6, y: 0 }, true);
    const board = fakeBoard({ clock, air });
    const responses = () =>
      new Set(
        active
          .splice(0)
          .filter((report) => report.scanResponse)
          .map((report) => hex(report.data)),
      );
    clock.advanceTo(clock.now + 2);
    expect([...responses()]).toEqual(["11079ecadc240ee5a9e093f3a3b50100406e"]);
    board.nrf.setScanResponse!([3, 9, "h", "i"]);
    clock.advanceTo(clock.now + 0.1);
    responses();
    clock.advanceTo(clock.now + 2);
    expect([...responses()]).toEqual(["03096869"]);
    expect(() => board.nrf.setScanResponse!([2, 1, 6])).toThrow("ERR 0xb");
  });
});

describe("BLE-06: address and payload change together", () => {
  test("sleep, store, change the address, wake: nothing mixed is sent", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!(GAEN, BEACON);
    board.nrf.setAddress!(STATIC);
    clock.advanceTo(clock.now + 5);
    reports.length = 0;
    const next = [...GAEN.slice(0, 11), ...new Array(20).fill(0x77)];
    board.nrf.sleep!();
    board.nrf.setAdvertising!(next, BEACON);
    board.nrf.setAddress!("d7:07:07:07:07:07 random");
    clock.advanceTo(clock.now + 1);
    expect(reports).toEqual([]);
    board.nrf.wake!();
    clock.advanceTo(clock.now + 5);
    expect(sent(reports)).toEqual([`d7:07:07:07:07:07 random ${hex(next)}`]);
  });

  test("also when all of it is said in one breath", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.sleep!();
    clock.advanceTo(clock.now + 5);
    reports.length = 0;
    board.nrf.setAdvertising!(GAEN, BEACON);
    board.nrf.setAddress!(STATIC);
    board.nrf.wake!();
    clock.advanceTo(clock.now + 5);
    expect(sent(reports)).toEqual([`${STATIC} ${hex(GAEN)}`]);
  });

  test("the payload first, awake: it leaves once with the old address", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!([2, 9, 65], BEACON);
    clock.advanceTo(clock.now + 5);
    reports.length = 0;
    board.nrf.setAdvertising!(GAEN, BEACON);
    board.nrf.setAddress!(STATIC);
    clock.advanceTo(clock.now + 5);
    expect(sent(reports)).toContain(`c0:11:22:33:a1:b2 random ${hex(GAEN)}`);
  });

  test("the address first, awake: it leaves once with the old payload", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!([2, 9, 65], BEACON);
    clock.advanceTo(clock.now + 5);
    reports.length = 0;
    board.nrf.setAddress!(STATIC);
    board.nrf.setAdvertising!(GAEN, BEACON);
    clock.advanceTo(clock.now + 5);
    expect(sent(reports)).toContain(`${STATIC} 020941`);
  });
});

describe("the address", () => {
  test("is the chip's with the bits of a static one; the current one is told without its type", () => {
    const { nrf, restarts } = fakeBoard({ address: "01:22:33:44:55:66" });
    expect(nrf.getAddress!()).toBe("c1:22:33:44:55:66");
    nrf.setAddress!("D1:02:03:04:05:06 random");
    expect(nrf.getAddress!()).toBe("c1:22:33:44:55:66");
    expect(nrf.getAddress!(true)).toBe("d1:02:03:04:05:06");
    expect(restarts).toEqual([30]);
  });

  test("is off the air while the stack restarts, and comes back awake or asleep as it was", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!(GAEN, { ...BEACON, interval: 100 });
    clock.advanceTo(clock.now + 1);
    const at = clock.now;
    board.nrf.setAddress!(STATIC);
    clock.advanceTo(at + 5);
    const first = reports.find((report) => report.address === STATIC)!;
    expect(first.time - at).toBeGreaterThan(0.03);
    expect(first.time - at).toBeLessThan(0.035);
    board.nrf.sleep!();
    board.nrf.setAddress!("d2:02:03:04:05:06 random");
    reports.length = 0;
    clock.advanceTo(clock.now + 5);
    expect(reports).toEqual([]);
  });

  test.each([
    ["c0:00:00:00:00:00 random", "no random bit set"],
    ["ff:ff:ff:ff:ff:ff random", "no random bit clear"],
    ["11:02:03:04:05:06 random", "not static"],
    ["51:02:03:04:05:06 private-resolvable", "private"],
    ["11:02:03:04:05:06 private-nonresolvable", "private"],
  ])("%s is refused on the console (%s), and the chip's address stays", (address) => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAddress!(address);
    expect(board.printed).toEqual(["pm_id_addr_set failed: 0x3202\n"]);
    reports.length = 0;
    clock.advanceTo(clock.now + 2);
    expect(new Set(reports.map((report) => report.address))).toEqual(new Set(["c0:11:22:33:a1:b2 random"]));
  });

  test("without a type it is public; a wrong form throws", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAddress!("11:02:03:04:05:06");
    clock.advanceTo(clock.now + 2);
    expect(reports.at(-1)!.address).toBe("11:02:03:04:05:06 public");
    for (const bad of ["11-02-03-04-05-06", "11:02:03", 7, "11:02:03:04:05:06 odd"]) {
      expect(() => board.nrf.setAddress!(bad)).toThrow("Expecting mac address of the form aa:bb:cc:dd:ee:ff");
    }
  });

  test("waits for the end of a link", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    clock.advanceTo(clock.now + 1);
    const link = board.radio.connect();
    board.nrf.setAddress!(STATIC);
    expect(board.printed).toEqual(["BLE Connected, queueing BLE restart for later\n"]);
    expect(board.restarts).toEqual([]);
    clock.advanceTo(clock.now + 1);
    link.disconnect();
    clock.advanceTo(clock.now + 5);
    expect(board.restarts).toEqual([30]);
    expect(reports.at(-1)!.address).toBe(STATIC);
  });

  test("a board asleep with a change waiting wakes with both after the link (BLE-06)", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!([2, 9, 65], { connectable: true, scannable: true });
    clock.advanceTo(clock.now + 1);
    board.radio.connect();
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    board.nrf.on!("disconnect", () => board.nrf.wake!());
    board.nrf.sleep!();
    board.nrf.setAdvertising!(GAEN, BEACON);
    board.nrf.setAddress!(STATIC);
    clock.advanceTo(clock.now + 5);
    expect(sent(reports)).toEqual([`${STATIC} ${hex(GAEN)}`]);
  });

  test("a restart loses the transmit power on SDK 12 boards and keeps it on SDK 15 ones", () => {
    for (const [facts, kept] of [
      [puckjs, 0],
      [nrf52840dk, 4],
    ] as const) {
      const board = fakeBoard({ facts });
      board.nrf.setTxPower!(4);
      expect(board.radio.station.emission!.advertising.txPower).toBe(4);
      board.nrf.setAddress!(STATIC);
      board.run(1);
      expect(board.radio.station.emission!.advertising.txPower).toBe(kept);
    }
  });

  test("the callback of restart runs while the stack is down", () => {
    const board = fakeBoard();
    let air: unknown = "not called";
    board.nrf.restart!(() => {
      air = board.radio.station.emission;
    });
    expect(air).toBeUndefined();
    board.run(1);
    expect(board.radio.station.emission).toBeDefined();
    expect(board.radio.activity.stackRestarts).toBe(1);
  });
});

describe("transmit power", () => {
  test("takes what the chip can and refuses the rest", () => {
    const { nrf } = fakeBoard();
    for (const power of puckjs.txPowers) nrf.setTxPower!(power);
    for (const power of [5, 1, -30, 8]) expect(() => nrf.setTxPower!(power)).toThrow("ERR 0x7 (INVALID_PARAM)");
    fakeBoard({ facts: nrf52840dk }).nrf.setTxPower!(8);
  });

  test("is louder in the air at once, without a new start", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    clock.advanceTo(clock.now + 2);
    const before = reports.at(-1)!.rssi;
    const schedule = board.radio.station.emission!.schedule;
    board.nrf.setTxPower!(4);
    clock.advanceTo(clock.now + 2);
    expect(reports.at(-1)!.rssi).toBe(before + 4);
    expect(board.radio.station.emission!.schedule).toBe(schedule);
  });
});

describe("scanning", () => {
  function two(options: Parameters<typeof fakeBoard>[0] = {}) {
    const clock = new VirtualClock(1_600_000_000);
    const air = new Air({ clock, seed: 1, model: QUIET });
    const sender = fakeBoard({ clock, air, address: "c0:aa:00:00:00:01" });
    const scanner = fakeBoard({ clock, air, address: "c0:bb:00:00:00:02", ...options });
    air.place(scanner.radio, { x: 1, y: 0 });
    scanner.nrf.sleep!();
    const heard: Device[] = [];
    return { clock, air, sender, scanner, heard, listener: (device: unknown) => void heard.push(device as Device) };
  }

  test("a report has id with type, rssi, data and what is in the packet, and nothing else", () => {
    const { clock, sender, scanner, heard, listener } = two();
    sender.nrf.setAdvertising!(GAEN, BEACON);
    sender.nrf.setAddress!(STATIC);
    clock.advanceTo(clock.now + 1);
    scanner.nrf.setScan!(listener);
    clock.advanceTo(clock.now + 1);
    expect(heard.length).toBeGreaterThanOrEqual(3);
    const device = heard[0]!;
    expect(Object.keys(device).sort()).toEqual(["data", "id", "rssi", "serviceData", "services"]);
    expect(device.id).toBe(STATIC);
    expect(device.rssi).toBe(-59);
    expect(hex(device.data)).toBe(hex(GAEN));
    expect(device.services).toEqual(["fd6f"]);
    expect(hex(device.serviceData.fd6f!)).toBe(hex(GAEN.slice(11)));
    expect(heard[1]!.data).not.toBe(device.data);
  });

  test("names, manufacturer and long UUIDs are read out", () => {
    const { clock, sender, scanner, heard, listener } = two();
    sender.nrf.setAdvertising!([3, 8, 65, 66, 2, 9, 67, 5, 0xff, 0x90, 0x05, 1, 2], BEACON);
    clock.advanceTo(clock.now + 1);
    scanner.nrf.setScan!(listener);
    clock.advanceTo(clock.now + 1);
    expect(heard[0]).toMatchObject({ shortName: "AB", name: "C", manufacturer: 0x0590 });
    expect(hex(heard[0]!.manufacturerData as ArrayBuffer)).toBe("0102");
    sender.nrf.setAdvertising!([17, 7, ...Buffer.from("9ecadc240ee5a9e093f3a3b50100406e", "hex")], BEACON);
    clock.advanceTo(clock.now + 1);
    expect(heard.at(-1)!.services).toEqual(["6e400001-b5a3-f393-e0a9-e50e24dcca9e"]);
  });

  test("a 31-byte report takes 45 bytes of the queue", () => {
    const { clock, sender, scanner, listener } = two();
    sender.nrf.setAdvertising!(GAEN, BEACON);
    clock.advanceTo(clock.now + 1);
    scanner.queued.length = 0;
    scanner.nrf.setScan!(listener);
    clock.advanceTo(clock.now + 1);
    expect(new Set(scanner.queued)).toEqual(new Set([45]));
  });

  test.each([
    [{ services: ["fd6f"] }, true, false],
    [{ serviceData: { fd6f: {} } }, true, true],
    [{ serviceData: { fd6e: {} } }, false, false],
    [{ namePrefix: "Pu" }, false, false],
    [{ id: "c0:aa:00:00:00:01 random" }, true, true],
    [{ manufacturerData: { 1424: {} } }, false, false],
    [{ services: ["fd6f"], name: "x" }, false, false],
  ])("the filter %j passes a list and service data: %s, service data only: %s", (filter, both, only) => {
    for (const [data, expected] of [
      [GAEN, both],
      [[0x17, 0x16, 0x6f, 0xfd, ...GAEN.slice(11)], only],
    ] as const) {
      const { clock, sender, scanner, heard, listener } = two();
      sender.nrf.setAdvertising!(data, BEACON);
      clock.advanceTo(clock.now + 1);
      scanner.nrf.setScan!(listener, { filters: [{ name: "nobody" }, filter] });
      clock.advanceTo(clock.now + 1);
      expect(heard.length > 0).toBe(expected);
      // A filter spares the script, not the queue.
      expect(scanner.queued.filter((bytes) => bytes > 14).length).toBeGreaterThan(0);
    }
  });

  test("window and interval count when a scan starts and are ignored while it runs", () => {
    const { clock, scanner, listener } = two();
    scanner.nrf.setScan!(listener, { window: 50, interval: 500 });
    scanner.nrf.setScan!(listener, { window: 100, interval: 100 });
    clock.advanceTo(clock.now + 10);
    expect(scanner.radio.activity.scanSeconds).toBeCloseTo(1, 6);
    scanner.nrf.setScan!();
    scanner.nrf.setScan!(listener, { window: 100, interval: 100 });
    clock.advanceTo(clock.now + 10);
    expect(scanner.radio.activity.scanSeconds).toBeCloseTo(11, 6);
    scanner.nrf.setScan!();
    clock.advanceTo(clock.now + 10);
    expect(scanner.radio.activity.scanSeconds).toBeCloseTo(11, 6);
  });

  test("values out of range leave the default, an interval is never shorter than its window", () => {
    const { scanner, listener } = two();
    scanner.nrf.setScan!(listener, { window: 1, interval: 20_000 });
    expect(scanner.radio.station.session!.scanning).toMatchObject({ windowMs: 100, intervalMs: 100, active: false });
    scanner.nrf.setScan!();
    scanner.nrf.setScan!(listener, { window: 200, interval: 50, active: true });
    expect(scanner.radio.station.session!.scanning).toMatchObject({ windowMs: 200, intervalMs: 200, active: true });
  });

  test("a restart of the stack makes a running scan continuous, and leaves a stopped one stopped", () => {
    const { clock, scanner, heard, listener } = two();
    scanner.nrf.setScan!(listener, { window: 10, interval: 1000, active: true, filters: [{ id: "nobody" }] });
    scanner.nrf.setAddress!(STATIC);
    clock.advanceTo(clock.now + 2);
    expect(scanner.radio.station.session!.scanning).toMatchObject({ windowMs: 100, intervalMs: 100, active: false });
    expect(heard).toEqual([]);
    scanner.nrf.setScan!();
    scanner.nrf.setAddress!("d2:02:03:04:05:06 random");
    clock.advanceTo(clock.now + 2);
    expect(scanner.radio.station.session).toBeUndefined();
  });

  test("reports that wait when the script stops scanning are not delivered", () => {
    const { clock, sender, scanner, heard, listener } = two();
    sender.nrf.setAdvertising!(GAEN, BEACON);
    scanner.nrf.setScan!(listener);
    scanner.whileBusy(() => {
      clock.advanceTo(clock.now + 2);
      scanner.nrf.setScan!();
    });
    clock.advanceTo(clock.now + 1);
    expect(scanner.radio.activity.heard).toBeGreaterThan(5);
    expect(heard).toEqual([]);
  });

  test("findDevices gathers by id and calls back once", () => {
    const { clock, air, sender, scanner } = two();
    const third = fakeBoard({ clock, air, address: "c0:cc:00:00:00:03" });
    third.nrf.setAdvertising!(
      [
        [2, 9, 65],
        [3, 3, 0x0f, 0x18],
      ],
      BEACON,
    );
    sender.nrf.setAdvertising!(GAEN, BEACON);
    clock.advanceTo(clock.now + 1);
    const results: Device[][] = [];
    scanner.nrf.findDevices!((devices: unknown) => void results.push(devices as Device[]), {
      timeout: 3000,
      filters: [{ serviceData: { fd6f: {} } }, { name: "A" }],
    });
    clock.advanceTo(clock.now + 10);
    expect(results.length).toBe(1);
    const byId = new Map(results[0]!.map((device) => [device.id, device]));
    expect([...byId.keys()].sort()).toEqual(["c0:aa:00:00:00:01 random", "c0:cc:00:00:00:03 random"]);
    // Once a packet of it has passed the filter, the others of that board are merged in.
    expect(byId.get("c0:cc:00:00:00:03 random")).toMatchObject({ name: "A", services: ["180f"] });
    expect(scanner.radio.station.session).toBeUndefined();
    expect(() => scanner.nrf.findDevices!(() => undefined, 5)).toThrow("Invalid timeout");
  });

  test("what does not fit into an event of the queue is dropped", () => {
    const { clock, air, scanner, heard, listener } = two({ facts: nrf52840dk });
    const giant = air.station("giant");
    const packet = (bytes: number) => [new Uint8Array(bytes)];
    scanner.nrf.setScan!(listener, { extended: true });
    const send = (bytes: number) => {
      heard.length = 0;
      giant.advertise({ address: STATIC, packets: packet(bytes), intervalMs: 100, txPower: 0, connectable: false, scannable: false, extended: true });
      clock.advanceTo(clock.now + 1);
      return heard.filter((device) => device.id === STATIC).length;
    };
    expect(send(122)).toBeGreaterThan(5);
    expect(send(123)).toBe(0);
  });
});

describe("links", () => {
  test("a central stops advertising, its leaving brings it back; the script hears of both", () => {
    const board = fakeBoard();
    const events: unknown[] = [];
    for (const name of ["connect", "disconnect", "advertising"]) board.nrf.on!(name, (value: unknown) => events.push([name, value]));
    board.run(1);
    const link = board.radio.connect("c0:00:00:00:00:99 random");
    expect(board.radio.connectable).toBe(false);
    expect(() => board.radio.connect()).toThrow("takes no connection");
    board.run(1);
    expect(events.splice(0)).toEqual([
      ["advertising", false],
      ["connect", "c0:00:00:00:00:99 random"],
    ]);
    expect(board.nrf.getSecurityStatus!()).toMatchObject({ connected: true, advertising: false, connected_addr: "c0:00:00:00:00:99 random" });
    board.run(8);
    link.disconnect();
    board.run(1);
    expect(events.splice(0)).toEqual([
      ["disconnect", 19],
      ["advertising", true],
    ]);
    expect(board.radio.connectable).toBe(true);
    expect(board.radio.activity.connectedSeconds).toBeCloseTo(9, 6);
  });

  test("the board can end the link itself", () => {
    const board = fakeBoard();
    let reason: number | undefined;
    board.radio.connect().onDisconnect = (why) => {
      reason = why;
    };
    board.nrf.disconnect!();
    expect(reason).toBeUndefined();
    board.run(1);
    expect(reason).toBe(22);
  });

  test("whenConnected goes on advertising, but nobody else can connect", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    board.nrf.setAdvertising!(GAEN, { whenConnected: true });
    board.radio.connect();
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    clock.advanceTo(clock.now + 2);
    expect(reports.length).toBeGreaterThan(3);
    expect(board.radio.connectable).toBe(false);
  });

  test("characteristics are read, written and notified", () => {
    const board = fakeBoard();
    const written: string[] = [];
    board.nrf.setServices!({
      "5000": {
        "5001": { value: [1, 2], readable: true, notify: true, maxLen: 4 },
        "5002": { writable: true, maxLen: 3, onWrite: (event: { data: ArrayBuffer }) => written.push(hex(event.data)) },
      },
    });
    expect(board.restarts).toEqual([]);
    const link = board.radio.connect();
    const [service] = link.services();
    // A key of digits is a decimal number for the interpreter: 5000 is 0x1388.
    expect(service!.uuid).toBe("1388");
    expect(service!.characteristics.map((one) => one.uuid)).toEqual(["1389", "138a"]);
    expect(hex(link.read("1389")!)).toBe("0102");
    const notified: string[] = [];
    link.subscribe("1389", (value) => notified.push(hex(value)));
    board.nrf.updateServices!({ 5000: { 5001: { value: "abc", notify: true } } });
    expect(notified).toEqual(["616263"]);
    expect(() => board.nrf.updateServices!({ 5000: { 5001: { value: "abcde" } } })).toThrow("ERR 0xc (DATA_SIZE)");
    expect(() => board.nrf.updateServices!({ 5000: { 39321: { value: "a" } } })).toThrow("Unable to find service with UUID 0x9999");
    expect(link.write("138a", Uint8Array.of(7, 8))).toBe(true);
    expect(link.write("138a", new Uint8Array(4))).toBe(false);
    expect(link.write("1389", new Uint8Array(1))).toBe(false);
    board.run(1);
    expect(written).toEqual(["0708"]);
  });

  test("other services, or none for the console, take a restart of the stack", () => {
    const board = fakeBoard();
    board.nrf.setServices!({ 5000: { 5001: { value: "a", readable: true } } });
    board.nrf.setServices!({ 8192: { 8193: { value: "b", readable: true } } });
    expect(board.restarts.length).toBe(1);
    board.run(1);
    const link = board.radio.connect();
    expect(link.services().map((service) => service.uuid)).toEqual(["2000"]);
    link.uart(Uint8Array.of(65));
    expect(board.uart).toEqual([65]);
    board.nrf.setServices!({}, { uart: false });
    expect(board.printed).toEqual(["BLE Connected, queueing BLE restart for later\n"]);
    expect(() => board.nrf.updateServices!({})).toThrow("Can't update services until BLE restart");
    link.disconnect();
    board.run(1);
    const silent = board.radio.connect();
    silent.uart(Uint8Array.of(66));
    expect(board.uart).toEqual([65]);
  });
});

describe("what survives", () => {
  test("reset keeps sleep and the flags, forgets data, scan, listeners and the stored address, and has the default interval", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    let events = 0;
    board.nrf.on!("advertising", () => events++);
    board.nrf.setAddress!(STATIC);
    board.nrf.setAdvertising!(GAEN, { ...BEACON, interval: 1000 });
    board.nrf.setScan!(() => undefined);
    clock.advanceTo(clock.now + 1);
    events = 0;
    board.radio.reset();
    reports.length = 0;
    clock.advanceTo(clock.now + 10);
    expect(board.nrf.getAddress!(true)).toBe("c0:11:22:33:a1:b2");
    // The stack was not restarted: on the air the address is still the old one, under the chip's name.
    expect(new Set(reports.map((report) => report.address))).toEqual(new Set([STATIC]));
    expect(reports.length).toBeGreaterThan(24);
    expect(board.radio.connectable).toBe(false);
    expect(board.radio.station.session).toBeUndefined();
    expect(events).toBe(0);
    board.nrf.sleep!();
    board.radio.reset();
    reports.length = 0;
    clock.advanceTo(clock.now + 10);
    expect(reports).toEqual([]);
  });

  test("a board without supply is silent and deaf, its central notices", () => {
    const { clock, air, reports } = world();
    const board = fakeBoard({ clock, air });
    let reason = 0;
    board.radio.connect().onDisconnect = (why) => {
      reason = why;
    };
    board.nrf.setScan!(() => undefined);
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    board.radio.powerOff();
    clock.advanceTo(clock.now + 600);
    expect(reports).toEqual([]);
    expect(reason).toBe(8);
    expect(board.radio.station.session).toBeUndefined();
  });
});

test("battery, names and odds and ends", () => {
  const { nrf } = fakeBoard();
  expect(nrf.getBattery!()).toBe(2.9);
  expect(nrf.getAdvertisingName!()).toBe("Puck.js a1b2");
  expect(fakeBoard({ facts: nrf52840dk }).nrf.getAdvertisingName!()).toBe("Espruino NRF52840DK");
  const seen: unknown[] = [];
  const board = fakeBoard();
  const listener = (...args: unknown[]) => void seen.push(args);
  board.nrf.on!("custom", listener);
  board.nrf.emit!("custom", 1, 2);
  board.run(1);
  expect(seen).toEqual([[1, 2]]);
  board.nrf.removeListener!("custom", listener);
  board.nrf.emit!("custom", 3);
  board.run(1);
  expect(seen.length).toBe(1);
});

describe("a stack that fails", () => {
  test("refuses a scan: Espruino believes that it scans, until it is told to stop and the stack says that it did not", () => {
    const { clock, air } = world();
    const { nrf, radio } = fakeBoard({ clock, air });
    radio.faults.scan = ERROR.NO_MEM;
    expect(() => nrf.setScan!(() => undefined)).toThrow("ERR 0x4 (NO_MEM) (:2405)");
    radio.faults.scan = 0;
    nrf.setScan!(() => undefined);
    expect(radio.receiving).toBe(false);
    expect(() => nrf.setScan!()).toThrow("ERR 0x8 (INVALID_STATE) (:2405)");
    nrf.setScan!();
    nrf.setScan!(() => undefined);
    expect(radio.receiving).toBe(true);
  });

  test("refuses to scan again after a restart, and nobody is told", () => {
    const { nrf, radio } = fakeBoard();
    nrf.setScan!(() => undefined);
    radio.faults.scan = ERROR.NO_MEM;
    nrf.restart!();
    expect(radio.receiving).toBe(false);
    expect(() => nrf.setScan!()).toThrow("INVALID_STATE");
  });

  test("is deaf until it is restarted", () => {
    const { clock, air } = world();
    const { nrf, radio } = fakeBoard({ clock, air });
    fakeBoard({ clock, air, address: "c0:00:00:00:00:02" });
    let heard = 0;
    nrf.setScan!(() => heard++);
    radio.faults.deaf = true;
    clock.advanceTo(clock.now + 10);
    expect(heard).toBe(0);
    nrf.restart!();
    clock.advanceTo(clock.now + 10);
    expect(heard).toBeGreaterThan(10);
  });

  test("refuses to advertise", () => {
    const { clock, air, reports } = world();
    const { nrf, radio } = fakeBoard({ clock, air });
    radio.faults.advertise = ERROR.NO_MEM;
    expect(() => nrf.setAdvertising!(GAEN, BEACON)).toThrow("ERR 0x4 (NO_MEM)");
    clock.advanceTo(clock.now + 1);
    reports.length = 0;
    clock.advanceTo(clock.now + 10);
    expect(reports).toEqual([]);
  });
});
