import { describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

/** A board at its prompt and a host that types: `say` answers what came back within a second. */
function bench(options: { firmware?: string } = {}) {
  const clock = new VirtualClock(1_700_000_000);
  const board = new VirtualBoard({ facts: puckjs, clock, ...options });
  let out = "";
  board.onOutput((bytes) => {
    out += Buffer.from(bytes).toString("latin1");
  });
  const say = (text: string, seconds = 2) => {
    out = "";
    board.input(Buffer.from(text, "latin1"));
    clock.advanceTo(clock.now + seconds);
    return out;
  };
  board.powerOn();
  clock.advanceTo(clock.now + 1);
  return { clock, board, say, banner: out };
}

describe("console, row by row as the real interpreter answers", () => {
  test.each([
    ["1+1\n", "1+1\r\n=2\r\n>"],
    ["\n", "\r\n>"],
    ["\x101+1\n", ""],
    ["\x10print(5)\n", "5\r\n>"],
    ["x\n", 'x\r\nUncaught ReferenceError: "x" is not defined\r\n    at REPL (:1:1)\r\nx\r\n^\r\n>'],
    [
      "throw new Error('q')\n",
      "throw new Error('q')\r\nUncaught Error: q\r\n    at REPL (:1:20)\r\nthrow new Error('q')\r\n                   ^\r\n>",
    ],
    ["function f(){\nreturn 1}\n", "function f(){\r\n:return 1}\r\n=function () { ... }\r\n>"],
    ["'abc\n", "'abc\r\nUncaught SyntaxError: Got UNFINISHED STRING expected EOF\r\n    at REPL (:1:1)\r\n'abc\r\n^\r\n>"],
    ["var a=\n", "var a=\r\nUncaught SyntaxError: Unexpected end of Input\r\n    at REPL (:1:7)\r\nvar a=\r\n      ^\r\n>"],
    ["({a:1,b:'x'})\n", "({a:1,b:'x'})\r\n={ a: 1, \r\n  b: \"x\"\r\n }\r\n>"],
    ["setTimeout(function(){print('hi')},50)\n", "setTimeout(function(){print('hi')},50)\r\n=1\r\n>\r\x1b[Jhi\r\n>"],
  ])("%j", (typed, answer) => {
    expect(bench().say(typed)).toBe(answer);
  });
});
