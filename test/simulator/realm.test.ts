import { describe, expect, test } from "vitest";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { bench } from "../support/bench-board.ts";

const ABSENT_GLOBALS =
  "Map Set WeakMap WeakSet WeakRef Symbol Proxy Reflect BigInt RangeError TextEncoder Buffer URL structuredClone queueMicrotask setImmediate performance process.exit Intl Atomics WebAssembly escape encodeURI setDeepSleep Iterator";
const ABSENT_MEMBERS =
  "Array.from Array.of [].flat [].at [].keys [].entries [].lastIndexOf [].reduceRight Object.freeze Object.seal Object.is Object.hasOwn Math.imul Math.trunc Math.hypot Math.log2 Number.isInteger Number.isFinite Number.MAX_SAFE_INTEGER Number.EPSILON Promise.race Promise.any ''.at ''.codePointAt ''.trimStart ''.search ''.matchAll ''.normalize Uint8Array.from Uint8Array.of Uint8Array.BYTES_PER_ELEMENT new/**/Uint8Array(1).lastIndexOf new/**/Uint8Array(1).copyWithin Date.UTC new/**/Error('x').name JSON.rawJSON";
const PRESENT =
  "print console.log E.CRC32 E.toString E.toUint8Array E.toArrayBuffer E.toJS E.hwRand E.getAddressOf E.getErrorFlags E.setFlags E.on E.emit E.setConsole E.getConsole E.enableWatchdog E.kickWatchdog E.reboot E.getTemperature E.reverseByte E.sum E.mapInPlace E.setTimeZone E.getBattery Math.clip Math.wrap Math.randInt getTime setTime setTimeout setInterval clearTimeout changeInterval setWatch clearWatch btoa atob encodeURIComponent require Modules.addCached process.memory digitalWrite digitalRead LED1.set BTN.read echo reset load save Serial1.setup Promise.resolve ''.removeAccents ({}).on [].includes Object.fromEntries Puck.getBatteryPercentage";

describe("a board's globals", () => {
  const here = bench();

  test.each(ABSENT_GLOBALS.split(" "))("%s is not there", (name) => {
    expect(here.value(`typeof ${name}`)).toBe("undefined");
  });

  test.each(ABSENT_MEMBERS.split(" "))("%s is not there", (name) => {
    expect(here.value(`typeof ${name}`)).toBe("undefined");
  });

  test.each(PRESENT.split(" "))("%s is there", (name) => {
    expect(here.value(`typeof ${name}`)).toBe("function");
  });
});

describe("what is there and does something else than elsewhere", () => {
  test.each([
    ["slice of a typed array is a plain array", "Array.isArray(new Uint8Array([1,2,3]).slice(1))", true],
    ["subarray is a view", "(a=new Uint8Array(4),a.subarray(1,2)[0]=9,a[1])", 9],
    ["set takes strings and cuts what does not fit", '(a=new Uint8Array(3),a.set("abcd",1),E.toString(a))', "\0ab"],
    [
      "a typed array is not made from a string",
      '(function(){try{new Uint8Array("AB")}catch(e){return e.message}})()',
      "Unsupported first argument of type String",
    ],
    ["strings are bytes", '["\\u20ac".charCodeAt(0),String.fromCharCode(300).charCodeAt(0),"\\xe9".toUpperCase()]', [0xac, 44, "\xe9"]],
    ["powers are exact to 9 only", "[Math.pow(2,9),Math.pow(2,32)===4294967296]", [512, false]],
    [
      "decimals have eleven places",
      '[""+(1/3).toString(),JSON.stringify(1583000000.123),(0.1+0.2).toString()]',
      ["0.33333333333", "1583000000.12299990653", "0.3"],
    ],
    ["toFixed(0) cuts", "(3.7).toFixed(0)", "3"],
    [
      "errors have a type and no name",
      "(function(){try{null.x}catch(e){return [e.type,e.message,e.name===undefined,Object.keys(e)]}})()",
      ["Error", "Can't read property 'x' of null", true, ["message", "type", "stack"]],
    ],
    ["no reading of what is not defined", '(function(){try{nope}catch(e){return ""+e}})()', 'ReferenceError: "nope" is not defined'],
    ["a dropped date is the epoch", '[new Date("x").getTime(),new Date("2024-01-02").getTime()]', [0, 1_704_153_600_000]],
    ["JSON.parse takes single quotes and what follows", "JSON.parse(\"{'a':[1,],} rest\")", { a: [1] }],
    ["JSON.stringify escapes bytes", 'JSON.stringify("\\xe9\\x01")', '"\\u00E9\\u0001"'],
    [
      "one variable for all turns of for(let …)",
      "(function(){var f=[];for(let i=0;i<3;i++)f.push(function(){return i});return f.map(function(g){return g()})})()",
      [3, 3, 3],
    ],
    [
      "one for those of for … of too",
      "(function(){var f=[];for(const x of [1,2])f.push(function(){return x});return f.map(function(g){return g()})})()",
      [2, 2],
    ],
    ["functions are not hoisted", "(function(){try{return late()}catch(e){return e.type}function late(){return 1}})()", "Error"],
    ["patterns it can't follow never match", '[/a{2}/.test("aa"),/\\bcat/.test("cat"),/a+/.test("aa")]', [false, false, true]],
    ["typeof a library is function", "[typeof E,typeof Math,typeof JSON]", ["function", "function", "function"]],
    [
      "deleting what overrides brings the native one back",
      "(getSerial2=getSerial,global.getSerial=function(){return 1},a=getSerial(),delete global.getSerial,a+(getSerial()===getSerial2()?1:0))",
      2,
    ],
    ["eval sees the variables around it", '(function(){var q=5;return eval("q+1")})()', 6],
  ])("%s", (_what, expression, answer) => {
    expect(bench().value(expression)).toEqual(answer);
  });

  test("every board has crypto as far as its firmware has it", () => {
    const have = BOARDS.map((facts) => {
      const here = bench({ facts });
      return [facts.id, here.value('[typeof AES,(function(){try{return Object.keys(require("crypto")).length>=0}catch(e){return e.message}})()]')];
    });
    for (const [id, [aes, crypto]] of have as [string, [string, unknown]][]) {
      const { sha1, sha256, aes: hasAes, aesCcm } = findBoard(id)!.crypto;
      expect([id, aes]).toEqual([id, hasAes || aesCcm ? "function" : "undefined"]);
      expect([id, crypto]).toEqual([id, sha1 || sha256 ? true : 'Module "crypto" not found']);
    }
  });

  test("AES and SHA-256 give the published values (FIPS 197, FIPS 180-4)", () => {
    const here = bench();
    const hex = (expression: string) => Buffer.from(here.value(`btoa(${expression})`) as string, "base64").toString("hex");
    const key = "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]";
    const text = "[0,17,34,51,68,85,102,119,136,153,170,187,204,221,238,255]";
    expect(hex(`AES.encrypt(${text},${key},{mode:"ECB"})`)).toBe("69c4e0d86a7b0430d8cdb78070b4c55a");
    expect(hex('require("crypto").SHA256("abc")')).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(here.type('\x10AES.encrypt("abc",new Uint8Array(16))\n')).toBe("ERROR: Invalid input length\r\n>");
  });

  test("modules come from the cache, from the interpreter or from a file of their name", () => {
    const here = bench();
    here.board.storage.write("mine", Buffer.from("exports.a=5;"));
    expect(here.value('require("mine").a')).toBe(5);
    here.board.evaluate('Modules.addCached("other","module.exports=function(){return 6}")');
    expect(here.value('require("other")()')).toBe(6);
    expect(here.value('(function(){try{require("nope")}catch(e){return e.message}})()')).toBe('Module "nope" not found');
  });

  test("the realm of one board knows nothing of another's", () => {
    const [one, other] = [bench(), bench()];
    one.board.evaluate("Array.prototype.x=1;y=2");
    expect(other.value("[typeof [].x,typeof y]")).toEqual(["undefined", "undefined"]);
  });

  test("the same seed gives the same random numbers and address, another one others", () => {
    const of = (seed: number) => {
      const here = bench({ seed });
      return [here.board.address, here.value("[Math.random(),E.hwRand()]")];
    };
    expect(of(5)).toEqual(of(5));
    expect(of(5)).not.toEqual(of(6));
  });
});

describe("syntax that V8 reads and the interpreter does not", () => {
  test.each([
    ["2**3", "Got '*' expected EOF", 3],
    ["print(...[1])", "Got '.' expected EOF", 7],
    ["var {a}={}", "Got '{' expected EOF", 5],
    ["o?.x", "Got '?' expected EOF", 2],
    ["f=async()=>1", "Got async expected EOF", 3],
    ["({[1]:2})", "Got '[' expected EOF", 3],
  ])("%s is refused", (code, message, column) => {
    expect(bench().type(`${code}\n`)).toContain(`Uncaught SyntaxError: ${message}\r\n    at REPL (:1:${column})\r\n`);
  });

  test("also inside eval, and in a file at the start of a board", () => {
    const here = bench();
    expect(here.value('(function(){try{return eval("1**2")}catch(e){return e.type}})()')).toBe("SyntaxError");
    here.board.storage.write(".bootcde", Buffer.from("x=1;\nlet [a]=[2];"));
    here.board.powerOff();
    expect(here.powerOn()).toContain("Uncaught SyntaxError: Got '[' expected EOF\r\n    at boot code (.bootcde:2:5)\r\nlet [a]=[2];\r\n    ^\r\n");
    expect(here.value("x")).toBe(1);
  });

  test("passes when the check is switched off", () => {
    expect(bench({ checkDialect: false }).type("2**3\n")).toContain("=8");
  });
});
