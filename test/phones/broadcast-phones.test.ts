import { expect, test } from "vitest";
import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Dp3tPhone } from "../../host-tools/phones/dp3t-phone.ts";
import { GaenPhone } from "../../host-tools/phones/gaen-phone.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { VirtualPhone } from "../../host-tools/simulator/phone.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { decodeMetadata, decryptMetadata } from "../../protocols/gaen/metadata.ts";
import { addressKindName, parseAddress } from "../../protocols/random-address.ts";
import { ephIdsOf } from "../support/handed-keys.ts";
import { keepRecord, lifetimesIn, linksIn, voicesIn } from "../support/observer.ts";
import { fromHex, toHex } from "../support/vectors.ts";
import { DAY, MORNING } from "../support/worn-boards.ts";

const MIDNIGHT = MORNING + 16 * 3600;

/** Two phones of a kind two metres apart, from three hours before midnight until two after it. */
function evening<T>(make: (device: VirtualPhone) => T & { start(): void }) {
  const clock = new VirtualClock(MIDNIGHT - 3 * 3600);
  const air = new Air({ clock, seed: 3 });
  const made = [0, 1].map((i) => {
    const device = new VirtualPhone({ air, name: `phone ${i}`, address: `d0:00:00:00:00:0${i} random`, txPower: -4 });
    air.place(device, { x: 2 * i, y: 0 });
    const phases = keepRecord(device.station);
    const scans: { from: number; to: number }[] = [];
    const scan = device.scan.bind(device);
    device.scan = (heard, options) => {
      if (heard) scans.push({ from: clock.now, to: 0 });
      else scans.at(-1)!.to = clock.now;
      scan(heard, options);
    };
    const phone = make(device);
    phone.start();
    return { phone, phases, scans };
  });
  // the next epoch begins a moment later
  clock.advanceTo(MIDNIGHT + 2 * 3600 - 1);
  return made;
}
const gapsOf = (times: number[]) => times.slice(1).map((time, i) => time - times[i]);

test("a GAEN phone changes address, RPI and AEM together, between 10 and 20 minutes after the last time and at midnight (GAEN-05, GAEN-06, GAEN-07)", () => {
  const [{ phone, phases, scans }, other] = evening((device) => new GaenPhone(device, nodeCrypto));
  const lifetimes = lifetimesIn(phases);
  expect(linksIn(lifetimes)).toEqual([]);
  expect(lifetimes.length).toBeGreaterThan(15);
  for (const { from, to } of lifetimes.slice(0, -1)) {
    if (to !== MIDNIGHT) expect(to! - from).toBeGreaterThan(600);
    expect(to! - from).toBeLessThan(1200);
  }
  expect(lifetimes.map(({ from }) => from)).toContain(MIDNIGHT);
  expect(phone.keys.map(({ rollingStart }) => rollingStart * 600)).toEqual([MIDNIGHT - DAY, MIDNIGHT]);
  for (const { rpi, aem, address, from } of lifetimes) {
    const { tek } = phone.keys[from < MIDNIGHT ? 0 : 1];
    expect(toHex(rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, tek), Math.floor(from / 600)))).toBe(rpi);
    expect(decodeMetadata(decryptMetadata(nodeCrypto, metadataKey(nodeCrypto, tek), fromHex(rpi), fromHex(aem)))).toMatchObject({
      major: 1,
      txPower: -4,
    });
    expect(addressKindName(parseAddress(address.slice(0, 17))!)).toBe("non-resolvable-private");
  }
  for (const { connectable, scannable, packets } of phases) expect([connectable, scannable, packets[0].length]).toEqual([false, false, 31]);
  for (const { from, to } of scans.slice(0, -1)) expect(to - from).toBeCloseTo(4);
  for (const gap of gapsOf(scans.map(({ from }) => from))) {
    expect(gap).toBeGreaterThanOrEqual(210);
    expect(gap).toBeLessThanOrEqual(300);
  }
  const sent = lifetimesIn(other.phases).map(({ rpi }) => rpi);
  expect(new Set(phone.sightings.map(({ rpi }) => toHex(rpi))).size).toBeGreaterThan(15);
  for (const { rpi } of phone.sightings) expect(sent).toContain(toHex(rpi));
});

test("a DP-3T phone has another EphID and address in each epoch, connectable, and hears the other in a third of the time (DP-01, DP-02, DP-03, DP-08)", () => {
  const [{ phone, phases, scans }, other] = evening((device) => new Dp3tPhone(device, nodeCrypto, aesEncrypt));
  const voices = voicesIn(phases);
  expect(voices).toHaveLength(20);
  expect(new Set(voices.map(({ id }) => id)).size).toBe(20);
  expect(new Set(voices.map(({ address }) => address)).size).toBe(20);
  for (const { id, from, address } of voices) {
    expect(ephIdsOf(phone.first, Math.floor(from / DAY))).toContain(id);
    expect(from % 900).toBeLessThan(60);
    expect(addressKindName(parseAddress(address.slice(0, 17))!)).toBe("resolvable-private");
  }
  expect(voices.map(({ from }) => from)).toContain(MIDNIGHT);
  for (const { connectable, packets } of phases) expect([connectable, packets[0].length]).toEqual([true, 30]);
  for (const { from, to } of scans.slice(0, -1)) expect(to - from).toBeCloseTo(20);
  for (const gap of gapsOf(scans.map(({ from }) => from))) expect(gap).toBeCloseTo(60);
  const sent = voicesIn(other.phases).map(({ id }) => id);
  expect(new Set(phone.sightings.map(({ ephId }) => toHex(ephId))).size).toBe(20);
  for (const { ephId, txPower } of phone.sightings) {
    expect(sent).toContain(toHex(ephId));
    expect(txPower).toBe(-4);
  }
});
