import { expect, test } from "vitest";
import { type Exchange, exchange } from "../../host-tools/phones/bluetrace-central.ts";
import type { PhoneLink, PhoneRadio } from "../../host-tools/phones/phone-ports.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

const PACKET = Buffer.from('{"id":"x","mp":"z","o":"X","v":2}');
const OWN = new Uint8Array([1, 2, 3]);

/** One exchange with a peer that does what the test says; all that the link was asked. */
function meet(peer: Partial<PhoneLink>, accept = () => true) {
  const clock = new VirtualClock(0);
  const calls: string[] = [];
  const ends: Exchange[] = [];
  const link: PhoneLink = {
    mtu: 23,
    read: (offset, done) => done(PACKET.subarray(offset, offset + 22)),
    write: (_, done) => done(true),
    disconnect: () => void calls.push(`disconnect at ${clock.now}`),
    ...peer,
  };
  const radio: PhoneRadio = {
    startScan: () => {},
    stopScan: () => {},
    advertise: () => {},
    stopAdvertising: () => {},
    connect: (_address, seconds, done) => {
      calls.push(`connect within ${seconds} s`);
      done(link);
    },
  };
  exchange({ clock, radio }, { address: "c0:00:00:00:00:01", seconds: 6, own: OWN }, accept, (end) => void ends.push(end));
  clock.advanceTo(60);
  expect(ends).toHaveLength(1);
  return { ...ends[0], id: ends[0].packet?.id, calls };
}

test("read in parts, then written, then the link ends (BT-06, BT-07)", () => {
  const offsets: number[] = [];
  const written: Uint8Array[] = [];
  const met = meet({
    read: (offset, done) => {
      offsets.push(offset);
      done(PACKET.subarray(offset, offset + 22));
    },
    write: (value, done) => {
      written.push(value);
      done(true);
    },
  });
  expect([met.end, met.id, offsets, written]).toEqual(["written", "x", [0, 22], [OWN]]);
  expect(met.calls).toEqual(["connect within 6 s", "disconnect at 0"]);
});

test.each([
  ["answers nothing at all", { read: () => {} }, "timeout", undefined, 6],
  ["reads, and never confirms the write", { write: () => {} }, "read", "x", 6],
  ["refuses the write", { write: (_: Uint8Array, done: (written: boolean) => void) => done(false) }, "read", "x", 0],
  ["refuses to be read", { read: (_: number, done: (part: undefined) => void) => done(undefined) }, "rejected", undefined, 0],
])("a peer that %s is left, and what was read counts (BT-07, BT-08)", (_, peer, end, id, at) => {
  const met = meet(peer);
  expect([met.end, met.id, met.calls[1], met.calls.length]).toEqual([end, id, `disconnect at ${at}`, 2]);
});

test("an answer that comes when all is over changes nothing (BT-08)", () => {
  let late: (part: Uint8Array) => void = () => {};
  const met = meet({
    read: (_, done) => {
      late = done;
    },
  });
  late(PACKET.subarray(0, 20));
  expect([met.end, met.packet]).toEqual(["timeout", undefined]);
});

test("a value that fills its last part is asked for once more, and ends there; one of 512 bytes is not (BT-06)", () => {
  const value = (length: number) => Buffer.concat([PACKET, Buffer.alloc(length - PACKET.length, 32)]);
  const read = (length: number, mtu: number) => {
    const offsets: number[] = [];
    const { end } = meet({
      mtu,
      read: (offset, done) => {
        offsets.push(offset);
        done(value(length).subarray(offset, offset + mtu - 1));
      },
    });
    return [end, offsets];
  };
  expect(read(44, 23)).toEqual(["written", [0, 22, 44]]);
  expect(read(45, 23)).toEqual(["written", [0, 22, 44]]);
  expect(read(512, 257)).toEqual(["written", [0, 256]]);
  expect(read(513, 257)).toEqual(["written", [0, 256]]);
  expect(read(513, 515)).toEqual(["rejected", [0]]);
});

test("who isn't wanted is not written to (BT-09)", () => {
  const met = meet({ write: () => expect.unreachable() }, () => false);
  expect([met.end, met.packet]).toEqual(["skipped", undefined]);
});
