import { describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import type { Radio } from "../../host-tools/simulator/radio.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { addressKind, isUsableAddress, NON_RESOLVABLE_PRIVATE, parseAddress, RESOLVABLE_PRIVATE } from "../../protocols/random-address.ts";
import { listenIn } from "../support/fake-radio-host.ts";

// Answers as ble_gap.h of S132 3.1.0 and S140 6.1.1 has them.

const START = 1_700_000_000;
const [INVALID_PARAM, INVALID_STATE, INVALID_ADDR, INVALID_ADV_HANDLE, INVALID_BLE_ADDR] = [7, 8, 0x10, 0x3004, 0x3202];
/** Functions of the script: `svc(number, address)`, and `set`, which fills the parameters before. */
const SCRIPT = `var p=new Uint8Array(32),at=E.getAddressOf(p,true);
function code(n){return String.fromCharCode(n,0xdf,0x70,0x47)}
function svc(n,a){return E.nativeCall(1,"int(int)",code(n))(a)}
function set(mode,kind,cycle,key){p.set([mode,kind,cycle,cycle>>8,key,key>>8,key>>16,key>>24]);return svc(0x70,at)}
function get(){p.fill(0);return [svc(0x71,at)].concat([].slice.call(p,0,4)).join()}
NRF.sleep();NRF.setAdvertising([2,1,6],{connectable:false,scannable:false,interval:250})`;

function board(id = "puckjs") {
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed: 1, model: { shadowingDb: 0, ricianKDb: 60, lossProbability: 0 } });
  const made = new VirtualBoard({ facts: findBoard(id)!, clock, address: "c0:00:00:00:00:01", radio: radioIn(air) });
  made.powerOn();
  made.evaluate(SCRIPT);
  const reports = listenIn(air);
  clock.advanceTo(START + 1);
  return {
    board: made,
    radio: made.radio as Radio,
    evaluate: (text: string) => made.evaluate(text),
    /** The addresses on the air in so many seconds, each once. */
    heard(seconds = 1) {
      reports.length = 0;
      clock.advanceTo(clock.now + seconds);
      return [...new Set(reports.map(({ address }) => address))];
    },
  };
}

describe("privacy settings of the radio stack, by supervisor call", () => {
  test("non-resolvable: an address with the upper bits 00 is on the air, the stack goes on, and the identity stays what it was", () => {
    const { evaluate, heard, radio } = board();
    expect(evaluate("set(1,3,41400,0)")).toBe(0);
    evaluate("NRF.wake()");
    const [address, ...others] = heard(60);
    expect(others).toEqual([]);
    expect(address).toMatch(/ private-nonresolvable$/);
    const bytes = parseAddress(address!.slice(0, 17))!;
    expect([addressKind(bytes), isUsableAddress(bytes)]).toEqual([NON_RESOLVABLE_PRIVATE, true]);
    expect(evaluate("get()")).toBe("0,1,3,184,161");
    expect(evaluate("svc(0x6d,at)+','+[].slice.call(p,0,7).join()")).toBe("0,2,1,0,0,0,0,192");
    expect(radio.activity.stackRestarts).toBe(0);
  });

  test("resolvable: upper bits 01", () => {
    const { evaluate, heard } = board();
    evaluate("set(1,2,0,0);NRF.wake()");
    const [address] = heard();
    expect(address).toMatch(/ private-resolvable$/);
    expect(addressKind(parseAddress(address!.slice(0, 17))!)).toBe(RESOLVABLE_PRIVATE);
  });

  test("the address changes by itself when its cycle is over, 0 standing for 900 s, in the middle of an advertisement", () => {
    for (const [cycle, seconds] of [
      [0, 900],
      [60, 60],
    ]) {
      const { evaluate, heard } = board();
      evaluate(`set(1,3,${cycle},0);NRF.wake()`);
      const first = heard(seconds! - 2);
      expect(first).toHaveLength(1);
      heard(4);
      const second = heard(seconds! - 4);
      expect(second).toHaveLength(1);
      expect(second).not.toEqual(first);
    }
  });

  test("a new address comes with off and on; setting the same again keeps it", () => {
    const { evaluate, heard } = board();
    evaluate("set(1,3,41400,0);NRF.wake()");
    const first = heard();
    expect(evaluate("NRF.sleep();var r=set(1,3,41400,0);NRF.wake();r")).toBe(0);
    expect(heard()).toEqual(first);
    expect(evaluate("NRF.sleep();var r=set(0,3,41400,0)+set(1,3,41400,0);NRF.wake();r")).toBe(0);
    const second = heard();
    expect(second).toHaveLength(1);
    expect(second).not.toEqual(first);
    expect(evaluate("NRF.sleep();var r=set(0,3,0,0);NRF.wake();r")).toBe(0);
    expect(heard()).toEqual(["c0:00:00:00:00:01 random"]);
  });

  test("is refused while a role runs: advertising, scanning, a link", () => {
    const { evaluate, radio } = board();
    expect(evaluate("NRF.wake();set(1,3,0,0)")).toBe(INVALID_STATE);
    expect(evaluate("NRF.sleep();NRF.setScan(function(){});set(1,3,0,0)")).toBe(INVALID_STATE);
    expect(evaluate("NRF.setScan();set(0,3,0,0)")).toBe(0);
    evaluate("NRF.setAdvertising({},{connectable:true,scannable:true,interval:375});NRF.wake()");
    radio.connect();
    expect(evaluate("set(1,3,0,0)")).toBe(INVALID_STATE);
    expect(evaluate("get()")).toBe("0,0,3,132,3");
  });

  test("is refused with parameters out of range, and with pointers that lead nowhere", () => {
    const { evaluate } = board();
    expect(evaluate("set(2,3,0,0)")).toBe(INVALID_PARAM);
    expect(board("nrf52840dk").evaluate("set(2,3,0,0)")).toBe(0);
    expect(evaluate("set(1,3,41401,0)")).toBe(INVALID_PARAM);
    expect(evaluate("set(1,1,0,0)")).toBe(INVALID_BLE_ADDR);
    expect(evaluate("set(1,2,0,16)")).toBe(INVALID_ADDR);
    expect(evaluate("set(1,2,0,at+16)")).toBe(0);
    for (const call of ["0x70", "0x71", "0x6d"]) {
      for (const address of ["0", "at+1", "at+65536"]) expect(evaluate(`svc(${call},${address})`), `${call} ${address}`).toBe(INVALID_ADDR);
    }
  });

  test("a restart of the stack turns privacy off, and so does a restart of the board", () => {
    const { evaluate, heard } = board();
    evaluate('set(1,3,0,0);NRF.setAddress("d1:02:03:04:05:06 random");NRF.wake()');
    expect(evaluate("get()")).toBe("0,0,2,132,3");
    expect(heard()).toEqual(["d1:02:03:04:05:06 random"]);
    const other = board();
    other.evaluate("set(1,3,0,0);E.reboot()");
    expect(other.heard(5)).toEqual(["c0:00:00:00:00:01 random"]);
  });

  test("S140 tells the address that it advertises from, S132 has no such call", () => {
    const { evaluate, heard } = board("nrf52840dk");
    const ask = (handle: number) => evaluate(`E.nativeCall(1,"int(int,int)",code(0x93))(${handle},at)`);
    evaluate("set(1,3,0,0)");
    expect(ask(0)).toBe(INVALID_STATE);
    evaluate("NRF.wake()");
    expect([ask(1), ask(0)]).toEqual([INVALID_ADV_HANDLE, 0]);
    const told =
      evaluate("p[0]>>1") +
      " " +
      Buffer.from(evaluate("[].slice.call(p,1,7)") as number[])
        .reverse()
        .toString("hex")
        .replace(/..(?=.)/g, "$&:");
    expect(told).toBe(`3 ${heard()[0]!.slice(0, 17)}`);
    const small = board("pixljs");
    small.board.onPrint((text) => {
      printed += text;
    });
    let printed = "";
    small.board.enqueue(() => void small.evaluate('E.nativeCall(1,"int(int,int)",code(0x93))(0,at)'));
    small.heard(1);
    expect(printed).toMatch(/^NRF ERROR/);
  });
});
