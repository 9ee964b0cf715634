import { describe, expect, test } from "vitest";
import { BOARDS, findBoard } from "../../boards/index.ts";

describe.each(BOARDS.map((facts) => [facts.id, facts] as const))("facts of %s", (_, facts) => {
  test("Storage lies on whole pages, inside the chip's flash or mapped above it", () => {
    const { address, pages, pageBytes, internal } = facts.storage;
    expect(pageBytes).toBe(4096);
    expect(address % pageBytes).toBe(0);
    const end = address + pages * pageBytes;
    if (internal) expect(end).toBeLessThanOrEqual((facts.chip.flashKb - 8 * 4) * 1024);
    else expect(address).toBeGreaterThanOrEqual(0x60000000);
  });

  test("the interpreter's variables fit into the chip's RAM, and their size follows from their number", () => {
    expect(facts.variables.count * facts.variables.bytes).toBeLessThan(facts.chip.ramKb * 1024);
    expect(facts.variables.bytes).toBe(facts.variables.count <= 8191 ? 13 : 14);
  });

  test("the SoftDevice fits the chip, and sets power, intervals and MTU", () => {
    const s140 = facts.chip.part === "nRF52840";
    expect(facts.softDevice.name).toBe(s140 ? "S140" : "S132");
    expect(Math.max(...facts.txPowers)).toBe(s140 ? 8 : 4);
    expect([...facts.txPowers].sort((a, b) => a - b)).toEqual(facts.txPowers);
    expect(facts.txPowers).toContain(0);
    expect(facts.advertising.minimumNonConnectableMs).toBe(s140 ? 20 : 100);
    expect(facts.advertising.extendedBytes).toBe(s140 ? 63 : undefined);
    expect(facts.gatt.mtu).toBe(s140 ? 131 : 53);
    expect((facts.gatt.mtu - 23) % (s140 ? 27 : 1)).toBe(0);
  });

  test("the clock is as good as its oscillator", () => {
    expect(facts.clock.ppm).toBe(facts.clock.source === "crystal" ? 50 : facts.softDevice.name === "S140" ? 500 : 250);
  });

  test("lights are numbered from one, without gaps", () => {
    expect(facts.lights.map((light) => light.name)).toEqual(facts.lights.map((_, i) => `LED${i + 1}`));
    expect(facts.buttons).toEqual(facts.buttons.map((_, i) => `BTN${i + 1}`));
  });

  test("a serial console has pins, another has none", () => {
    const serial = facts.console.device === "Serial1";
    expect(facts.console.tx !== undefined && facts.console.rx !== undefined).toBe(serial);
  });

  test("published currents are in a plausible order and have a source", () => {
    const { source, sleep, advertising375, scanning, cpu } = facts.currents;
    expect(source.length).toBeGreaterThan(10);
    const known = [sleep, advertising375, cpu, scanning].filter((value) => value !== undefined);
    expect([...known].sort((a, b) => a - b)).toEqual(known);
  });
});

test("ids and Espruino names are unique, and both find their board", () => {
  const names = BOARDS.flatMap((facts) => [facts.id, ...facts.espruinoNames]);
  expect(new Set(names).size).toBe(names.length);
  for (const facts of BOARDS) {
    for (const name of [facts.id, ...facts.espruinoNames]) expect(findBoard(name)).toBe(facts);
  }
  expect(findBoard("puck")).toBeUndefined();
});

test("addresses of Storage are those of Espruino's board files", () => {
  const addresses = Object.fromEntries(BOARDS.map((facts) => [facts.espruinoNames[0], facts.storage.address]));
  expect(addresses).toEqual({
    PUCKJS: 0x6c000,
    MDBT42Q: 0x6c000,
    PIXLJS: 0x6d000,
    NRF52840DK: 0xec000,
    MICROBIT2: 0x6c000,
    BANGLEJS2: 0x60000000,
  });
});

test("a SoftDevice of one version has one firmware id", () => {
  const ids = new Set(BOARDS.map(({ softDevice: { name, version, firmwareId } }) => `${name} ${version} ${firmwareId}`));
  expect([...ids].sort()).toEqual(["S132 3.1.0 145", "S140 6.1.1 182"]);
});
