import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { Store } from "../../host-tools/store/store.ts";
import { dailyTracingKey, rollingProximityIdentifier as v1Identifier } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { EPOCHS, ephIds, nextSecretKey } from "../../protocols/dp3t/low-cost.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { encodeMetadata, encryptMetadata } from "../../protocols/gaen/metadata.ts";
import { CT10_TAG, DP3T_TAG } from "../../protocols/protocol-tags.ts";
import { clock, denseSlot, encounterSlot, type Heard, othersSlot, slots } from "../store/slots.ts";

// A study of a few boards: each has a key a day, and hears the others by what these keys make.

/** A full hour, and a day's first interval as well: 2023-11-15 00:00 UTC. */
export const T0 = 1_700_006_400;
export const DAY0 = T0 / 86400;
const START = T0 / 600;

export const board = (n: number) => ({ logId: `${n}`.repeat(16), id: `board-${n}`, name: `Badge ${n}`, type: n === 2 ? "PIXLJS" : "PUCKJS" });
const tek = (n: number) => new Uint8Array(16).fill(n);
const sk = (n: number) => new Uint8Array(32).fill(n);
const dailyKey = (n: number) => dailyTracingKey(nodeCrypto, sk(100 + n), DAY0);

/** `first`: seconds after T0. */
function gaenBytes(sender: number, first: number): [rpi: Uint8Array, aem: Uint8Array] {
  const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, tek(sender)), START + Math.floor(first / 600));
  return [rpi, encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, tek(sender)), rpi, encodeMetadata(-8))];
}

export const heard = (sender: number, when: Heard) => encounterSlot(...gaenBytes(sender, when.first), when);
export const heardDense = (sender: number, when: Heard) => denseSlot(...gaenBytes(sender, when.first), when);

/** The identifier of another time. */
export const replayed = (sender: number, made: number, when: Heard) => encounterSlot(...gaenBytes(sender, made), when);

/** What a board heard, `records` with seconds after T0. */
export async function pulled(store: Store, n: number, ...records: Uint8Array[]): Promise<void> {
  await store.commitPull(board(n), [{ seq: 145, era: 1, baseTick: 0, slots: slots(clock(1, 0, T0), ...records) }]);
}

export const handOver = (store: Store, n: number) => store.addKeys(board(n), [{ tek: tek(n), rollingStart: START, rollingPeriod: 144 }]);

/** A chain of DP-3T that began so many days ago, and what it sends in the first epoch of T0's day. */
export async function dp3tChain(store: Store, n: number, daysAgo: number, ended: boolean): Promise<(when: Heard) => Uint8Array> {
  await store.addKeysOfOthers(board(n), [{ protocol: "dp3t", key: sk(n), startDay: DAY0 - daysAgo, lastDay: ended ? DAY0 - 1 : undefined, ended }]);
  let today: Uint8Array = sk(n);
  for (let day = 0; day < daysAgo; day++) today = nextSecretKey(nodeCrypto, today);
  return (when) => othersSlot(DP3T_TAG, ephIds(nodeCrypto, aesEncrypt, today, EPOCHS).subarray(0, 16), 4, when);
}

export async function v1Key(store: Store, n: number): Promise<(when: Heard) => Uint8Array> {
  await store.addKeysOfOthers(board(n), [{ protocol: "ct10", key: dailyKey(n), startDay: DAY0, lastDay: DAY0, ended: true }]);
  return (when) => othersSlot(CT10_TAG, v1Identifier(nodeCrypto, dailyKey(n), Math.floor(when.first / 600)), undefined, when);
}

export const emptyStore = (path = ":memory:") => Store.open(path, { now: () => T0 + 86400 });
