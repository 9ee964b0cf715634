import { expect } from "vitest";
import { aesEncrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { readU32 } from "../../protocols/bytes.ts";
import { rollingProximityIdentifier as tracingIdentifier } from "../../protocols/contact-tracing-v1/key-schedule.ts";
import { ephIds, nextSecretKey } from "../../protocols/dp3t/low-cost.ts";
import { ephId, epochSeed } from "../../protocols/dp3t/unlinkable.ts";
import { intervalNumber, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../../protocols/gaen/key-schedule.ts";
import { KEY_ENDED, KEY_IN_USE, KEY_OF_OTHERS, KEY_OF_OTHERS_ENDED, PAYLOAD_BYTES } from "../../protocols/log-format.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, GAEN_TAG } from "../../protocols/protocol-tags.ts";
import { toHex } from "./vectors.ts";
import { command, DAY } from "./worn-boards.ts";

// What a board hands over as its keys, and what may have been on the air by them.

export interface Handed {
  key: Uint8Array;
  start: number;
  period: number;
  state: number;
  tag: number;
  part: number;
}

/** `fresh` 1: and begin new ones. */
export function keysOf(board: VirtualBoard, fresh = 0): Handed[] {
  const all = command(board, `k(${fresh})`);
  return Array.from({ length: all.length / PAYLOAD_BYTES }, (_, i) => {
    const payload = all.subarray(i * PAYLOAD_BYTES, (i + 1) * PAYLOAD_BYTES);
    const state = payload[21];
    return {
      key: payload.slice(0, 16),
      start: readU32(payload, 16),
      period: payload[20],
      state,
      tag: state === KEY_OF_OTHERS || state === KEY_OF_OTHERS_ENDED ? payload[22] : 0,
      part: payload[23],
    };
  });
}

/** SK of the oldest day, and its day. */
export function chainOf(board: VirtualBoard, state = KEY_OF_OTHERS) {
  const parts = keysOf(board).filter((key) => key.tag === DP3T_TAG && key.state === state);
  expect(parts.map(({ part }) => part)).toEqual([0, 1, 2]);
  return { sk: Buffer.concat([parts[0].key, parts[1].key]), day: parts[0].start / 144 };
}

/** All 96 EphIDs of a day of the chain, unshuffled. */
export function ephIdsOf({ sk, day }: { sk: Uint8Array; day: number }, of: number): string[] {
  let key = sk;
  for (let at = day; at < of; at++) key = nextSecretKey(nodeCrypto, key);
  const stream = ephIds(nodeCrypto, aesEncrypt, key, 96);
  return Array.from({ length: 96 }, (_, n) => toHex(stream.subarray(16 * n, 16 * n + 16)));
}

/** By tag and time: the identifiers that a board's keys allow it. Of low-cost DP-3T all of the day, for their order is its own; of the others that of the period, and of the one before, for clocks fall behind. */
export function allowedBy(board: VirtualBoard): (tag: number, unix: number) => string[] {
  const keys = keysOf(board);
  const chain = keys.some(({ tag }) => tag === DP3T_TAG) ? chainOf(board) : undefined;
  const known = new Map<string, string[]>();
  const inPeriod = (tag: number, of: number[], make: (at: number) => string[]) =>
    of.flatMap((at) => {
      const found = known.get(`${tag} ${at}`) ?? make(at);
      known.set(`${tag} ${at}`, found);
      return found;
    });
  const ofDay = (tag: number, day: number) => keys.filter((key) => key.tag === tag && key.start <= day * 144 && day * 144 < key.start + 144);
  return (tag, unix) => {
    const interval = intervalNumber(unix);
    const epoch = Math.floor(unix / 900);
    if (tag === GAEN_TAG)
      return inPeriod(tag, [interval, interval - 1], (at) =>
        keys
          .filter(({ state, start }) => (state === KEY_IN_USE || state === KEY_ENDED) && start <= at && at < start + 144)
          .map(({ key }) => toHex(rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, key), at))),
      );
    if (tag === CT10_TAG)
      return inPeriod(tag, [interval, interval - 1], (at) =>
        ofDay(tag, Math.floor(at / 144)).map(({ key }) => toHex(tracingIdentifier(nodeCrypto, key, at % 144))),
      );
    if (tag === DP3T_UNLINKABLE_TAG)
      return inPeriod(tag, [epoch, epoch - 1], (at) =>
        ofDay(tag, Math.floor(at / 96)).map(({ key }) => toHex(ephId(nodeCrypto, epochSeed(nodeCrypto, key, at)))),
      );
    return chain
      ? inPeriod(tag, [Math.floor(unix / DAY), Math.floor((unix - 60) / DAY)], (day) => (day < chain.day ? [] : ephIdsOf(chain, day)))
      : [];
  };
}
