import { expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import type { Radio } from "../../host-tools/simulator/radio.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { listenIn } from "../support/fake-radio-host.ts";

const START = 1_700_000_000;

function boards(addresses: string[], callbackSeconds?: number) {
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed: 1, model: { shadowingDb: 0, ricianKDb: 60, lossProbability: 0 } });
  const made = addresses.map((address, i) => {
    const board = new VirtualBoard({ facts: puckjs, clock, address, seed: i + 1, callbackSeconds, radio: radioIn(air) });
    board.powerOn();
    air.place(board.radio as Radio, { x: i, y: 0 });
    return board;
  });
  clock.advanceTo(START + 1);
  return { clock, air, made };
}

test("one script hears another, with objects of its own world", () => {
  const { clock, made } = boards(["c0:00:00:00:00:01", "c0:00:00:00:00:02"]);
  const [sender, scanner] = made;
  sender!.evaluate("NRF.setAdvertising([2,1,6,3,0x16,0x6f,0xfd],{connectable:false,scannable:false,interval:250})");
  scanner!.evaluate(
    "var got=[],kinds=[];NRF.setScan(function(d){got.push(d.id+' '+d.rssi);kinds.push((d.data instanceof ArrayBuffer)+' '+(d.serviceData.fd6f instanceof ArrayBuffer)+' '+(d.services===undefined))},{filters:[{serviceData:{fd6f:{}}}]})",
  );
  clock.advanceTo(START + 3);
  expect(scanner!.evaluate("got.length")).toBeGreaterThanOrEqual(7);
  expect(scanner!.evaluate("got[0]")).toBe("c0:00:00:00:00:01 random -59");
  expect(scanner!.evaluate("kinds[0]")).toBe("true true true");
});

test("what NRF refuses is an exception of the script, with the interpreter's type", () => {
  const { made } = boards(["c0:00:00:00:00:01"]);
  expect(made[0]!.evaluate("(function(){try{NRF.setTxPower(5)}catch(e){return e.type+': '+e.message}})()")).toMatch(
    /^Error: ERR 0x7 \(INVALID_PARAM\) \(:\d+\)$/,
  );
  expect(made[0]!.evaluate("(function(){try{NRF.setAdvertising('x')}catch(e){return ''+(e instanceof TypeError)+e.type}})()")).toBe("trueTypeError");
});

test("reports that come while the script is busy overflow the queue after twenty-two", () => {
  const { clock, made } = boards(["c0:00:00:00:00:01", "c0:00:00:00:00:02"], 10);
  const [sender, scanner] = made;
  sender!.evaluate(
    "NRF.setAdvertising(new Uint8Array([30,255].concat([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29])),{connectable:false,scannable:false,interval:100})",
  );
  scanner!.evaluate("var n=0;NRF.setScan(function(){n++})");
  clock.advanceTo(START + 9);
  expect(scanner!.queue.used).toBe(22 * 45);
  expect(scanner!.evaluate("E.getErrorFlags().join()")).toBe("FIFO_FULL");
});

test("an address changes without a mixed packet, and the board's clock loses the restart", () => {
  const { clock, air, made } = boards(["c0:00:00:00:00:01"]);
  const [board] = made;
  board!.evaluate("NRF.setAdvertising([2,9,65],{connectable:false,scannable:false,interval:100})");
  clock.advanceTo(START + 5);
  const reports = listenIn(air);
  const before = board!.boardTime - clock.now;
  board!.evaluate("NRF.sleep();NRF.setAdvertising([2,9,66],{});NRF.setAddress('d1:02:03:04:05:06 random');NRF.wake()");
  clock.advanceTo(START + 10);
  const pairs = new Set(reports.map((report) => `${report.address.slice(0, 2)} ${report.data[2]}`));
  expect([...pairs]).toEqual(["d1 66"]);
  const lost = before - (board!.boardTime - clock.now);
  expect(lost).toBeGreaterThan(0.019);
  expect(lost).toBeLessThan(0.041);
});

test("the console goes to a central and back", () => {
  const { clock, made } = boards(["c0:00:00:00:00:01"]);
  const link = (made[0]!.radio as Radio).connect();
  let out = "";
  link.onUart = (bytes) => {
    out += Buffer.from(bytes).toString("latin1");
  };
  link.uart(Buffer.from("\x10print(6*7)\n"));
  clock.advanceTo(START + 3);
  expect(out).toContain("42\r\n");
  link.disconnect();
  clock.advanceTo(START + 4);
  expect(made[0]!.consoleDevice).toBe("Serial1");
});
