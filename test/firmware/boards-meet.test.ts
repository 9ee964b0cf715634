import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { diagnosisKeys } from "../../host-tools/matching/diagnosis-keys.ts";
import { type HeardIdentifier, matchEncounters } from "../../host-tools/matching/matcher.ts";
import { nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeOwnKeys } from "../../host-tools/store/log-decoder.ts";
import type { ExposureKey } from "../../protocols/gaen/export-file.ts";
import { recordsOfKind, timesOf } from "../support/flash-log.ts";
import { lifetimesIn, linksIn } from "../support/observer.ts";
import { command, expectQuietConsoles, status, WornWorld } from "../support/worn-boards.ts";

const HOURS = 1.5;

/** Encounters in a board's log, as the hub would match them. */
function heardBy(board: VirtualBoard): HeardIdentifier[] {
  const time = timesOf(board);
  return recordsOfKind(board, "encounter").map(({ rpi, aem, era, firstTick, lastTick, maxRssi }) => ({
    rpi,
    aem,
    board: board.address,
    firstSeen: Math.floor(time(era, firstTick)!),
    lastSeen: Math.floor(time(era, lastTick)!),
    maxRssi,
  }));
}

/** A board's own keys, as an export would have them. */
function publishedBy(board: VirtualBoard): ExposureKey[] {
  return decodeOwnKeys(command(board, "k(0)")).map(({ tek, ...time }) => ({ key: tek, ...time, transmissionRisk: 3, reportType: 1 }));
}

describe.each([
  ["pixljs", "sd"],
  ["mdbt42q", "sd"],
  ["nrf52840dk", "sd"],
  ["microbit2", "sd"],
])("a wearable %s beside a Puck.js, for an hour and a half", (id, aes) => {
  let puck: VirtualBoard;
  let other: VirtualBoard;
  let world: WornWorld;

  beforeAll(async () => {
    world = new WornWorld(31);
    puck = await world.wear({ x: 0, y: 0 });
    other = await world.wear({ x: 2, y: 0 }, { board: id });
    world.pass(HOURS * 3600);
  });
  afterAll(expectQuietConsoles);

  test("says whose AES it uses", () => {
    expect(status(puck).cr).toBe("in");
    expect(status(other)).toMatchObject({ cr: aes, ad: 1, er: [0, 0, 0] });
  });

  test("changes its identifier as a Puck.js does, with its address", () => {
    const lifetimes = lifetimesIn(world.sentBy(other));
    expect(lifetimes.length).toBeGreaterThanOrEqual(5);
    expect(linksIn(lifetimes)).toEqual([]);
  });

  test("each has heard the other, and the hub finds the one's keys in what the other has heard (GAEN-24)", () => {
    for (const [one, wearer] of [
      [puck, other],
      [other, puck],
    ]) {
      const heard = heardBy(one);
      expect(heard.length).toBeGreaterThanOrEqual(4);
      const { exposures, setApart } = matchEncounters(nodeCrypto, diagnosisKeys(publishedBy(wearer)), heard);
      expect(exposures.map(({ encounter }) => encounter).sort((a, b) => a.firstSeen - b.firstSeen)).toEqual(
        heard.sort((a, b) => a.firstSeen - b.firstSeen),
      );
      expect(setApart).toEqual([]);
      for (const { txPower } of exposures) expect(txPower).toBe(0);
    }
  });
});

test("a Pixl.js whose SoftDevice doesn't give its AES sends all the same, what it computes itself", async () => {
  const world = new WornWorld(32);
  const board = await world.wear({ x: 0, y: 0 }, { board: "pixljs", role: "beacon", clockSet: false });
  board.storage.write(".boot0", Buffer.from("E.nativeCall=function(){return function(){return 2}};"));
  board.powerOff();
  board.powerOn();
  world.pass(1);
  expect(status(board).cr).toBe("js");
  command(board, `t(${Math.floor(world.clock.now)},0,0)`);
  const puck = await world.wear({ x: 2, y: 0 });
  world.pass(3600);
  const heard = heardBy(puck);
  expect(heard.length).toBeGreaterThanOrEqual(2);
  expect(matchEncounters(nodeCrypto, diagnosisKeys(publishedBy(board)), heard).exposures).toHaveLength(heard.length);
});
