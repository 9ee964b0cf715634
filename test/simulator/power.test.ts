import { expect, test } from "vitest";
import { microbit2 } from "../../boards/microbit2.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { batteryDays } from "../../host-tools/power/charge.ts";
import { powerAccount } from "../../host-tools/simulator/power.ts";
import { fakeBoard } from "../support/fake-radio-host.ts";

const BEACON = { connectable: false, scannable: false, interval: 375 };

test("a board that only advertises its default uses the published current", () => {
  const board = fakeBoard();
  board.run(3600);
  expect(powerAccount(puckjs, board.radio.activity, 3600).mean).toBeCloseTo(puckjs.currents.advertising375!, 0);
});

test("a silent beacon uses the one published for it, half as much at twice the interval", () => {
  const board = fakeBoard();
  board.nrf.setAdvertising!(new Uint8Array(31), BEACON);
  board.run(3600);
  const before = powerAccount(puckjs, board.radio.activity, 3600);
  expect(before.mean).toBeCloseTo(22, 0);
  const slow = fakeBoard();
  slow.nrf.setAdvertising!(new Uint8Array(31), { ...BEACON, interval: 755 });
  slow.run(3600);
  expect(powerAccount(puckjs, slow.radio.activity, 3600).mean - 3).toBeCloseTo((22 - 3) / 2, 0);
});

test("two seconds of listening in three hundred are most of a GAEN board's current", () => {
  const board = fakeBoard();
  board.nrf.setAdvertising!(new Uint8Array(31), { ...BEACON, interval: 250 });
  for (let i = 0; i < 12; i++) {
    board.nrf.setScan!(() => undefined);
    board.run(2);
    board.nrf.setScan!();
    board.run(298);
  }
  const account = powerAccount(puckjs, board.radio.activity, 3600);
  expect(account.scanning! / 3600).toBeCloseTo(((12000 - 3) * 2) / 300, 6);
  expect(account.sleep! / 3600).toBeCloseTo(3, 6);
  expect(account.advertising! / 3600).toBeCloseTo((19 * 0.38) / 0.255, 0);
  expect(account.total).toBeCloseTo(account.sleep! + account.scanning! + account.advertising!, 3);
  expect(account.unknown).toEqual([]);
  expect(batteryDays(account.mean, 220)).toBeCloseTo(220_000 / account.mean / 24, 6);
});

test("a link costs the active current for half a minute and the idle one after it; work costs the processor's", () => {
  const board = fakeBoard();
  board.radio.connect();
  board.run(100);
  const account = powerAccount(puckjs, board.radio.activity, 100, 2);
  expect(account.connected).toBeCloseTo(30 * (600 - 3) + 70 * (32 - 3), 3);
  expect(account.cpu).toBe(2 * (4000 - 3));
});

test("less transmit power costs less, by what the chip's data sheet says of the time it sends", () => {
  const at = (dBm: number) => {
    const board = fakeBoard();
    board.nrf.setAdvertising!(new Uint8Array(31), BEACON);
    board.nrf.setTxPower!(dBm);
    board.run(3600);
    return powerAccount(puckjs, board.radio.activity, 3600).mean;
  };
  const transmitting = (3 * 376e-6) / 0.38;
  expect(at(0) - at(-40)).toBeCloseTo(2600 * transmitting, 1);
  expect(at(4) - at(0)).toBeCloseTo(2200 * transmitting, 1);
});

test("what nobody has published is named and not guessed", () => {
  const board = fakeBoard({ facts: microbit2 });
  board.nrf.setScan!(() => undefined);
  board.run(10);
  const account = powerAccount({ ...microbit2, currents: { source: "none" } }, board.radio.activity, 10);
  expect(account).toMatchObject({ total: 0, mean: 0, unknown: ["sleep", "advertising", "scanning"] });
});
