import { describe, expect, test } from "vitest";
import { virtualBoard } from "../support/virtual-link.ts";

/** A function of the board: fills a block of 48 bytes as FIPS 197, C.1 has it, and calls the SoftDevice. */
const ENCRYPT = `function encrypt(n,thumb,shift){var b=new Uint8Array(64),i;for(i=0;i<16;i++){b[i]=i;b[16+i]=i*17}
return [E.nativeCall(thumb,"int(int)",String.fromCharCode(n,0xdf,0x70,0x47))(E.getAddressOf(b,true)+shift)].concat([].slice.call(b,32,48)).join()}`;
const ANSWER = `0,${[...Buffer.from("69c4e0d86a7b0430d8cdb78070b4c55a", "hex")].join()}`;

function prepared(id: string) {
  const { board, clock } = virtualBoard(id);
  let printed = "";
  board.onPrint((text) => {
    printed += text;
  });
  board.evaluate(ENCRYPT);
  return {
    board,
    /** Runs a line from the main loop. */
    type(line: string) {
      printed = "";
      board.input(Buffer.from(`\x10${line}\n`));
      clock.advanceTo(clock.now + 5);
      return printed;
    },
  };
}

describe("machine code on a virtual board", () => {
  test.each([
    ["pixljs", 67],
    ["nrf52840dk", 70],
  ])("of a %s: supervisor call %s encrypts a block in memory", (id, number) => {
    expect(prepared(id).board.evaluate(`encrypt(${number},1,0)`)).toBe(ANSWER);
  });

  test("a number that is no call of the SoftDevice's is answered with an error, and nothing is written", () => {
    expect(prepared("pixljs").board.evaluate("encrypt(5,1,0)")).toMatch(/^1(,0){16}$/);
  });

  test.each([
    ["another call of the SoftDevice", "encrypt(70,1,0)"],
    ["an address that is none of a word", "encrypt(67,1,1)"],
    ["an address where nothing lies", "encrypt(67,1,1<<16)"],
    ["code that isn't Thumb", "encrypt(67,0,0)"],
  ])("%s is a fault, which no catch stops: the board restarts", (_, line) => {
    const { board, type } = prepared("pixljs");
    expect(type(`try{${line}}catch(e){print('caught')}print('alive')`)).toMatch(/^NRF ERROR .*REBOOTING/s);
    expect(board.evaluate("typeof encrypt")).toBe("undefined");
  });

  test("other code says that the virtual board lacks it, a wrong signature what the interpreter says", () => {
    const { board } = prepared("pixljs");
    const message = (call: string) => board.evaluate(`(function(){try{${call}}catch(e){return e.message}})()`);
    expect(message('E.nativeCall(1,"int(int)","\\x70\\x47")')).toMatch(/missing in the virtual board/);
    expect(message("E.nativeCall(1)")).toBe("Invalid Signature");
  });

  test("a typed array keeps its address; one that is short has none", () => {
    const { board } = prepared("pixljs");
    const line = "var b=new Uint8Array(48),c=new Uint8Array(48),a=E.getAddressOf(b,true)";
    board.evaluate(line);
    expect(board.evaluate("a%4")).toBe(0);
    expect(board.evaluate("E.getAddressOf(b,true)-a")).toBe(0);
    expect(board.evaluate("E.getAddressOf(b.subarray(16),true)-a")).toBe(16);
    expect(board.evaluate("Math.abs(E.getAddressOf(c,true)-a)>=48")).toBe(true);
    expect(board.evaluate("E.getAddressOf(new Uint8Array(16),true)")).toBe(0);
  });
});
