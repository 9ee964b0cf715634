import { describe, expect, test } from "vitest";
import { Bench, bench } from "../support/bench-board.ts";

const BANNER =
  "\x1b[?7l\r\n ____                 _ \r\n|  __|___ ___ ___ _ _|_|___ ___ \r\n|  __|_ -| . |  _| | | |   | . |\r\n" +
  "|____|___|  _|_| |___|_|_|_|___|\r\n         |_| espruino.com\r\n 2v29 (c) 2026 G.Williams\r\n\r\n>";

// Each row was typed at the real interpreter (release 2v29 and 277 commits), one line at a time.
describe("what a board answers at its console", () => {
  test.each([
    ["an expression", "1+1\n", "1+1\r\n=2\r\n>"],
    ["an empty line", "\n", "\r\n>"],
    ["carriage return", "1+1\r", "1+1\r\n=2\r\n>"],
    ["CR and LF are one line end", "1+1\r\n", "1+1\r\n=2\r\n>"],
    ["a silent line", "\x101+1\n", ""],
    ["a silent line that prints", "\x10print(5)\n", "5\r\n>"],
    ["DLE within a line", "ab\x10cd\n", 'abcd\r\nUncaught ReferenceError: "abcd" is not defined\r\n    at REPL (:1:1)\r\nabcd\r\n^\r\n>'],
    ["an unknown name", "x\n", 'x\r\nUncaught ReferenceError: "x" is not defined\r\n    at REPL (:1:1)\r\nx\r\n^\r\n>'],
    [
      "an error thrown",
      "throw new Error('q')\n",
      "throw new Error('q')\r\nUncaught Error: q\r\n    at REPL (:1:20)\r\nthrow new Error('q')\r\n                   ^\r\n>",
    ],
    ["a value thrown", "throw 5\n", "throw 5\r\nUncaught 5\r\n>"],
    ["a function over two lines", "function f(){\nreturn 1}\n", "function f(){\r\n:return 1}\r\n=function () { ... }\r\n>"],
    ["an open template", "`a\nb`\n", '`a\r\n:b`\r\n="a\\nb"\r\n>'],
    ["an open comment", "/* a\n*/5\n", "/* a\r\n:*/5\r\n=5\r\n>"],
    ["Alt-Enter", "1+\x1b\n1\n", "1+\r\n:1\r\n=2\r\n>"],
    ["an open string", "'abc\n", "'abc\r\nUncaught SyntaxError: Got UNFINISHED STRING expected EOF\r\n    at REPL (:1:1)\r\n'abc\r\n^\r\n>"],
    ["a line that breaks off", "var a=\n", "var a=\r\nUncaught SyntaxError: Unexpected end of Input\r\n    at REPL (:1:7)\r\nvar a=\r\n      ^\r\n>"],
    [
      "what stands before a syntax error",
      "print(2);)\n",
      "print(2);)\r\n2\r\nUncaught SyntaxError: Got ')' expected EOF\r\n    at REPL (:1:10)\r\nprint(2);)\r\n         ^\r\n>",
    ],
    ["an object", "({a:1,b:'x'})\n", "({a:1,b:'x'})\r\n={ a: 1, \r\n  b: \"x\"\r\n }\r\n>"],
    ["a variable", "var b=5\n", "var b=5\r\n=5\r\n>"],
    ["a constant", "const d=7\n", "const d=7\r\n=7\r\n>"],
    ["an Error as a value", 'new Error("z")\n', 'new Error("z")\r\n=Error: Error: z\r\n>'],
    ["a print from a timer", "setTimeout(function(){print('hi')},50)\n", "setTimeout(function(){print('hi')},50)\r\n=1\r\n>\r\x1b[Jhi\r\n>"],
    [
      "promises before timers",
      "setTimeout(()=>print(2),0);Promise.resolve(3).then(print)\n",
      "setTimeout(()=>print(2),0);Promise.resolve(3).then(print)\r\n=Promise: { state: 0 }\r\n3\r\n>\r\x1b[J2\r\n>",
    ],
    ["a line break in a string that is printed", 'print("a\\nb")\n', 'print("a\\nb")\r\na\r\nb\r\n=undefined\r\n>'],
    [
      "backspace",
      "abc\b\b\b\bde\x7f5-1\n",
      'abc\b \b\b \b\b \bde\b \b5-1\r\nUncaught ReferenceError: "d5" is not defined\r\n    at REPL (:1:1)\r\nd5-1\r\n^\r\n>',
    ],
    ["cursor keys it does not know", "\x1b[5~1\n", "1\r\n=1\r\n>"],
    ["who are you", "\x05", "Espruino 2v29 PUCKJS\r\n"],
    [
      "an out-of-reach name in functions",
      "(function(){nix})()\n",
      '(function(){nix})()\r\nUncaught ReferenceError: "nix" is not defined\r\n    at function () {nix} (:1:1)\r\nnix\r\n^\r\n    at REPL (:1:19)\r\n(function(){nix})()\r\n                  ^\r\n>',
    ],
    ["reset()", "reset()\n", `reset()\r\n=undefined\r\n${BANNER}`],
    ["load() without saved code", "load()\n", "load()\r\n=undefined\r\n>"],
    [
      "out of memory, which nothing catches",
      "try{new Uint8Array(99999)}catch(e){}\n",
      "try{new Uint8Array(99999)}catch(e){}\r\nOUT OF MEMORY    at REPL (:1:25)\r\ntry{new Uint8Array(99999)}catch(e){}\r\n                        ^\r\n" +
        "Execution Interrupted\r\nNew interpreter error: LOW_MEMORY,MEMORY\r\n>",
    ],
  ])("%s", (_what, typed, answer) => {
    const here = bench();
    const answers = typed.split(/(?<=\n)/).map((line) => here.type(line));
    expect(answers.join("")).toBe(answer);
  });

  test("it starts with a banner and a prompt", () => {
    expect(new Bench().powerOn()).toBe(BANNER);
  });

  test("echo(0) silences everything but prints until echo(1)", () => {
    const here = bench();
    expect(here.type("echo(0)\n")).toBe("echo(0)\r\n");
    expect(here.type("1+1\n")).toBe("");
    expect(here.type("print(3)\n")).toBe("3\r\n");
    expect(here.type("echo(1)\n")).toBe("=undefined\r\n>");
  });

  test("a locked console takes the password only", () => {
    const here = bench();
    expect(here.type('E.setPassword("abc");E.lockConsole()\n')).toBe('E.setPassword("abc");E.lockConsole()\r\n=undefined\r\npassword>');
    expect(here.type("wrong\n")).toBe("\r\n  Invalid password\r\npassword>");
    expect(here.type("abc\n")).toBe("\r\n  Logged in.\r\n>");
    expect(here.type("1\n")).toBe("1\r\n=1\r\n>");
  });

  test("variables and functions of one line are there in the next, and may be declared again", () => {
    const here = bench();
    here.type("let a=1;const b=2;function f(){return a+b}\n");
    expect(here.type("let a=5\n")).toContain("=5");
    expect(here.type("f()\n")).toContain("=7");
    expect(here.type("global.a===this.a\n")).toContain("=true");
  });

  test("Ctrl-C clears the line", () => {
    const here = bench();
    here.type("1+");
    expect(here.type("\x03")).toBe("\x1b[D\x1b[D\r\x1b[J>");
    expect(here.type("2\n")).toBe("2\r\n=2\r\n>");
  });

  test("Ctrl-C cuts short what is being printed", () => {
    const here = bench();
    here.board.input(Buffer.from('print("x".repeat(3000))\n'));
    here.pass(0.5);
    here.board.input(Buffer.from("\x03"));
    here.pass(3);
    expect(here.output.length).toBeLessThan(700);
    expect(here.take()).toMatch(/xxx.*Execution Interrupted\r\n>$/s);
  });
});

describe("the wire", () => {
  test("a byte takes ten bits: 9600 baud bring 960 characters a second", () => {
    const here = bench();
    here.type("\x10print('x'.repeat(2000))\n", 0.5);
    here.pass(1);
    const { length } = here.take();
    expect(length).toBeGreaterThan(940);
    expect(length).toBeLessThan(980);
  });

  test("a full output buffer of 128 characters stops the script, and the clock goes on", () => {
    const here = bench();
    const spent = (text: string) => {
      here.type(`\x10var t=getTime();print("${text}");var d=getTime()-t\n`, 5);
      return here.value("d") as number;
    };
    expect(spent("x".repeat(100))).toBeLessThan(0.01);
    expect(spent("x".repeat(128 + 96))).toBeCloseTo(98 / 960, 2);
  });

  test("another speed holds at once", () => {
    const here = bench();
    here.type("\x10Serial1.setup(115200)\n");
    expect(here.board.link.baud).toBe(115_200);
    here.board.powerOff();
    here.powerOn();
    expect(here.board.link.baud).toBe(9600);
  });

  test("with flow control XOFF holds output and XON lets it go", () => {
    const here = bench();
    here.type('\x10Serial1.setup(9600,{flow:"xon"})\n');
    here.type("\x13");
    expect(here.type("\x10print(7)\n")).toBe("");
    expect(here.type("\x11")).toBe("7\r\n>");
  });

  test("with flow control the board stops its host when the input queue fills, and starts it again", () => {
    const here = bench();
    here.type('\x10Serial1.setup(9600,{flow:"xon"})\n');
    here.board.input(Buffer.from("\x10print('x'.repeat(2000))\n" + "\x101;\n".repeat(150)));
    here.pass(6);
    const signals = [...here.take()].filter((char) => char === "\x11" || char === "\x13").join("");
    expect(signals).toBe("\x13\x11");
    expect(here.board.takeErrorFlags()).toEqual([]);
  });

  test("without it what does not fit into 1024 bytes is lost and FIFO_FULL says so", () => {
    const here = bench();
    const text = here.type(`\x10print('x'.repeat(3000))\n${"\x101;\n".repeat(400)}`, 8);
    expect(text).toContain("New interpreter error: FIFO_FULL");
  });

  test("the console goes over to Bluetooth and comes back", () => {
    const here = bench();
    let radio = "";
    here.board.radio = {
      nrf: {},
      powerOff() {},
      reset() {},
      uartSend(bytes) {
        radio += Buffer.from(bytes).toString("latin1");
        return true;
      },
    };
    here.board.linkChanged(true);
    here.pass(1);
    expect(here.take()).toBe("\r\x1b[J-> Bluetooth\r\n");
    here.board.uartReceived(Buffer.from("1+1\n"));
    here.pass(1);
    expect(radio).toBe("<- Serial1\r\n>1+1\r\n=2\r\n>");
    expect(here.type("2+2\n")).toBe("");
    here.board.linkChanged(false);
    here.pass(1);
    expect(here.type("2+2\n")).toContain("=4");
  });
});
