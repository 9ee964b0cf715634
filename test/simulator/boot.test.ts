import { describe, expect, test } from "vitest";
import { Bench, bench } from "../support/bench-board.ts";

const FILES = [".boot0", ".boot1", ".boot3", ".bootrst", ".bootcde", ".bootPowerOn"];

/** A board with these files in flash, each of which writes down its name. */
function withFiles(names: string[], code: { [name: string]: string } = {}): Bench {
  const here = new Bench();
  for (const name of names) here.board.storage.write(name, Buffer.from(`print("${name}");${code[name] ?? ""}`));
  return here;
}

function ran(text: string): string[] {
  return text
    .replaceAll("\r\x1b[J", "")
    .split("\r\n")
    .filter((line) => line.startsWith(".boot"));
}

describe("starting", () => {
  test("power on runs .bootPowerOn, .boot0 to .boot3, then .bootrst instead of .bootcde", () => {
    expect(ran(withFiles(FILES).powerOn())).toEqual([".bootPowerOn", ".boot0", ".boot1", ".boot3", ".bootrst"]);
    expect(ran(withFiles([".boot0", ".bootcde"]).powerOn())).toEqual([".boot0", ".bootcde"]);
  });

  test("with the button held the saved code is skipped, but not .boot0 to .boot3", () => {
    expect(ran(withFiles([".boot0", ".bootcde"]).powerOn({ buttonHeld: true }))).toEqual([".boot0"]);
    const here = withFiles([".boot0", ".bootcde"]);
    here.board.storage.write("data", Buffer.from("x"));
    here.powerOn({ buttonHeld: "long" });
    expect(here.value('require("Storage").list()')).toEqual([".boot0", "data"]);
  });

  test("reset() runs .boot files and .bootrst, never .bootcde; reset(true) also deletes saved code", () => {
    const here = withFiles([".boot0", ".bootcde"]);
    here.powerOn();
    expect(ran(here.type("\x10reset()\n"))).toEqual([".boot0"]);
    here.type("\x10reset(true)\n");
    expect(here.value('require("Storage").list()')).toEqual([".boot0"]);
  });

  test("load() starts as from flash without a banner; load(file) runs .boot files and that file", () => {
    const here = withFiles([".boot0", ".bootcde"]);
    here.board.storage.write("app", Buffer.from('print(".boot: app "+__FILE__)'));
    here.powerOn();
    const loaded = here.type("\x10load()\n");
    expect(ran(loaded)).toEqual([".boot0", ".bootcde"]);
    expect(loaded).not.toContain("espruino.com");
    expect(ran(here.type('\x10load("app")\n'))).toEqual([".boot0", ".boot: app app"]);
  });

  test("E.reboot() is a start from the beginning, but the clock goes on", () => {
    const here = withFiles([".bootPowerOn", ".bootcde"]);
    here.powerOn();
    here.type("\x10setTime(1700000000);x=1\n");
    expect(ran(here.type("\x10try{E.reboot()}catch(e){}\n"))).toEqual([".bootPowerOn", ".bootcde"]);
    expect(here.value("typeof x")).toBe("undefined");
    expect(here.value("getTime()")).toBeGreaterThan(1_700_000_000);
  });

  test("with saved code there is no banner, and what it throws is printed", () => {
    const here = new Bench();
    here.board.storage.write(".bootcde", Buffer.from("nix()"));
    expect(here.powerOn()).toContain('Uncaught ReferenceError: "nix" is not defined\r\n    at boot code (.bootcde:1:1)\r\nnix()\r\n^\r\n\r\n>');
    expect(here.board.errors).toHaveLength(1);
  });

  test("errors in what lies in Storage tell the place in the file, those of functions with the text of the function", () => {
    const here = new Bench();
    here.board.storage.write(".bootcde", Buffer.from("// c\nfunction f(a){\n  return nix(a)\n}\nsetTimeout(function(){f(1)},300);f(2);"));
    expect(here.powerOn()).toContain(
      'Uncaught ReferenceError: "nix" is not defined\r\n    at f (.bootcde:3:10)\r\nnix(a)\r\n^\r\n    at boot code (.bootcde:5:37)\r\nsetTimeout(function(){f(1)},300);f(2);\r\n' +
        " ".repeat(36) +
        "^\r\n",
    );
    expect(here.type("f(3)\n")).toContain("at f (.bootcde:3:10)\r\nnix(a)\r\n^\r\n    at REPL (:1:4)\r\nf(3)\r\n   ^\r\n");
  });

  test("E.setFlags({onErrorSave:1}) keeps the first error in a file", () => {
    const here = bench();
    here.type("\x10E.setFlags({onErrorSave:1})\n");
    here.type("\x10throw new Error('one')\n");
    here.type("\x10throw new Error('two')\n");
    expect(here.value('require("Storage").read("ERROR")')).toMatch(/^Error: one\n {4}at REPL/);
    here.board.powerOff();
    expect(here.powerOn()).toContain("An Uncaught Error has been saved to Storage.");
  });

  test("init and kill are told, and onInit is called", () => {
    const here = withFiles([".bootcde"], {
      ".bootcde": 'E.on("init",function(){print("init")});E.on("kill",function(){print("kill")});function onInit(){print("onInit")}',
    });
    const started = here.powerOn();
    expect(started).toContain("init\r\n");
    expect(here.type("\x10load()\n")).toBe("\r\x1b[Jkill\r\n.bootcde\r\ninit\r\nRunning onInit()...\r\nonInit\r\n>");
  });
});

describe("what outlives what", () => {
  test("a software restart keeps flash and time, RAM is gone", () => {
    const here = bench();
    here.type('\x10setTime(1700000000);x=1;require("Storage").write("a","1");setInterval(function(){print("tick")},100)\n');
    expect(here.type("\x10reset()\n")).not.toContain("tick\r\n>tick");
    expect(here.type("")).toBe("");
    expect(here.value('[typeof x,require("Storage").read("a"),getTime()>1700000000]')).toEqual(["undefined", "1", true]);
  });

  test("without power the clock goes back to 1970", () => {
    const here = bench();
    here.type("\x10setTime(1700000000)\n");
    here.board.powerOff();
    here.pass(100);
    here.powerOn();
    expect(here.value("getTime()")).toBeLessThan(10);
  });

  test("a board without power hears and says nothing", () => {
    const here = bench();
    here.type("\x10setInterval(function(){print(1)},1000)\n");
    here.board.powerOff();
    expect(here.type("print(1)\n", 10)).toBe("");
  });
});
