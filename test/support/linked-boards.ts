import type { BoardFacts } from "../../boards/board-facts.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import { type PhoneOptions, VirtualPhone } from "../../host-tools/simulator/phone.ts";
import type { Radio } from "../../host-tools/simulator/radio.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

export const START = 1_700_000_000;
export const PHONE = "d0:00:00:00:00:99 random";
/** A service of scripts, one characteristic to read and one to write. */
export const SERVICE = "11112222-3333-4444-5555-666677778888";
export const READABLE = "11112223-3333-4444-5555-666677778888";
export const WRITABLE = "11112224-3333-4444-5555-666677778888";

/** As a script names board `n`, counted from 0. */
export function addressOf(n: number): string {
  return `c0:00:00:00:00:0${n + 1} random`;
}

/** Boards a metre apart in an air without chance, a second after power-on, and what they have printed. */
export function linkedBoards(count: number, options: { facts?: BoardFacts; seed?: number; lossProbability?: number } = {}) {
  const { facts = puckjs, seed = 1, lossProbability = 0 } = options;
  const clock = new VirtualClock(START);
  const air = new Air({ clock, seed, model: { shadowingDb: 0, ricianKDb: 60, lossProbability } });
  const printed: string[] = [];
  const boards = Array.from({ length: count }, (_, i) => {
    const board = new VirtualBoard({ facts, clock, address: addressOf(i).slice(0, 17), seed: i + 1, radio: radioIn(air) });
    printed.push("");
    board.onPrint((text) => {
      printed[i] += text;
    });
    board.powerOn();
    air.place(board.radio as Radio, { x: i, y: 0 });
    return board;
  });
  clock.advanceTo(START + 1);
  return {
    clock,
    air,
    boards,
    printed,
    run: (seconds: number) => clock.advanceTo(clock.now + seconds),
    radio: (i: number) => boards[i]!.radio as Radio,
    phone: (more: Partial<PhoneOptions> = {}) => new VirtualPhone({ air, name: "phone", address: PHONE, ...more }),
    /** What a script has collected in `log`, an array of texts. */
    log: (i: number) => String(boards[i]!.evaluate("log.join('|')")).split("|"),
  };
}

/** A board's script with one readable value and one that may be written; what comes is in `got`, a string. */
export function serverScript(value: string, maxLength = 50, options = "{uart:false}"): string {
  return `var got="",log=[];NRF.setServices({"${SERVICE}":{
    "${READABLE}":{value:${value},readable:true,notify:true,maxLen:200,onWriteDesc:function(e){log.push("desc "+new Uint8Array(e.data)[0])}},
    "${WRITABLE}":{writable:true,maxLen:${maxLength},onWrite:function(e){got+=E.toString(e.data)}}}},${options});`;
}

/** Finds both characteristics of board 0 and goes on with `then`, the body of a function that has `g`, `c` (by UUID) and `log`. */
export function clientScript(then: string, address = addressOf(0), options = "{}"): string {
  return `var g,c={},log=[],t0=getTime();
    NRF.connect("${address}",${options}).then(function(x){g=x;return g.getPrimaryService("${SERVICE}")})
    .then(function(s){return s.getCharacteristics()})
    .then(function(all){all.forEach(function(one){c[one.uuid]=one});c.r=c["${READABLE}"];c.w=c["${WRITABLE}"];${then}})
    .catch(function(e){log.push("failed "+e)});`;
}
