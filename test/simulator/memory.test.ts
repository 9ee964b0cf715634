import { expect, test } from "vitest";
import { estimateVariables } from "../../host-tools/generator/variables.ts";
import { Bench, bench } from "../support/bench-board.ts";

const CODE = "var log=new Uint8Array(2600);function add(a,b){return a+b}print(typeof add(1,2));";

test("process.memory() counts blocks of the board's size", () => {
  expect(bench().value("(function(m){return [m.total,m.usage+m.free,m.blocksize,m.flash_length]})(process.memory())")).toEqual([
    2630, 2630, 13, 524_288,
  ]);
  expect(bench({ variables: 500 }).value("process.memory().total")).toBe(500);
});

test("the code that a board has loaded counts by the generator's rule", () => {
  const here = new Bench();
  here.board.storage.write(".bootcde", Buffer.from(CODE));
  here.powerOn();
  expect(here.board.memory().usage - bench().board.memory().usage).toBe(estimateVariables(CODE));
});

test("a buffer that does not fit beside the code throws the script out, and nothing catches it", () => {
  const here = new Bench();
  here.board.storage.write(".bootcde", Buffer.from(CODE));
  here.powerOn();
  expect(here.value("new Uint8Array(20000).length")).toBe(20_000);
  here.board.evaluate("after=0;try{new Uint8Array(33000);after=1}catch(e){after=2}");
  expect(here.value("after")).toBe(0);
  expect(here.board.errors).toEqual(["OUT OF MEMORY"]);
  expect(here.board.takeErrorFlags()).toEqual(["LOW_MEMORY", "MEMORY"]);
  expect(here.value("1+1")).toBe(2);
});

test("sizes in blocks are those that the interpreter tells", () => {
  expect(
    bench().value('[5,[0,1,2,3,4],{a:1,b:2},"a".repeat(100),new Uint8Array(100),new Uint8Array(1000)].map(function(v){return E.getSizeOf(v)})'),
  ).toEqual([1, 6, 3, 12, 11, 80]);
});
