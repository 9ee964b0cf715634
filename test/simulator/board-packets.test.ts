import { describe, expect, test } from "vitest";
import { bench } from "../support/bench-board.ts";

const EVAL = 0x2000;
const EVENT = 0x4000;
const FILE_SEND = 0x6000;
const DATA = 0x8000;
const FILE_RECEIVE = 0xa000;

function packet(type: number, payload: string): string {
  const word = type | payload.length;
  return `\x10\x01${String.fromCharCode(word >> 8, word & 255)}${payload}`;
}

describe("packets, as README_Protocol.md has them and the interpreter does them", () => {
  test("EVAL is acknowledged and answered with JavaScript, not JSON", () => {
    const here = bench();
    expect(here.type(packet(EVAL, "1+1"))).toBe("\x06\x10\x01\x00\x012");
    expect(here.type(packet(EVAL, '{a:[1,"x\\n"]}'))).toBe('\x06\x10\x01\x00\x0d{a:[1,"x\\n"]}');
    expect(here.type(packet(EVAL, "undefined"))).toBe("\x06\x10\x01\x00\x04null");
    expect(here.type(packet(EVAL, "1,2;  3"))).toBe("\x06\x10\x01\x00\x012");
  });

  test("EVAL of what throws brings NAK and then the error", () => {
    const here = bench();
    expect(here.type(packet(EVAL, "q"))).toBe('\r\x1b[J\x15Uncaught ReferenceError: "q" is not defined\r\n>');
    expect(here.type(packet(EVAL, "var a=1"))).toContain("\x15Uncaught SyntaxError: Got var expected EOF\r\n    at :1:1\r\nvar a=1\r\n^\r\n>");
  });

  test("what was typed before a packet is there after it", () => {
    const here = bench();
    here.type("40+");
    expect(here.type(packet(EVAL, "1+1"))).toContain("\x06\x10\x01\x00\x012");
    expect(here.type("2\n")).toContain("=42");
  });

  test("EVENT calls the handlers of E, or is refused when there are none", () => {
    const here = bench();
    expect(here.type(packet(EVENT, "{a:1}"))).toBe("\x15");
    here.type('\x10E.on("packet",function(o){got=o})\n');
    expect(here.type(packet(EVENT, "{a:1}"))).toBe("\x06");
    expect(here.value("got.a")).toBe(1);
  });

  test("a file goes in by FILE_SEND and DATA, and comes out by FILE_RECV in pieces of 1024 bytes", () => {
    const here = bench();
    const bytes = "abcdefghij".repeat(150);
    expect(here.type(packet(FILE_SEND, '{fn:"t",s:1500}'))).toBe("\x06");
    expect(here.type(packet(DATA, bytes.slice(0, 1024)))).toBe("\x06");
    expect(here.type(packet(DATA, bytes.slice(1024)))).toBe("\x06");
    expect(here.value('require("Storage").read("t")')).toBe(bytes);
    expect(here.type(packet(FILE_RECEIVE, '{fn:"t"}'), 5)).toBe(
      `\x06${packet(DATA, bytes.slice(0, 1024))}${packet(DATA, bytes.slice(1024))}${packet(DATA, "")}`,
    );
    expect(here.type(packet(DATA, "more"))).toBe("\x15");
  });

  test("a line feed in a file that is read goes out as CR LF, though its length counts one", () => {
    const here = bench();
    here.type('\x10require("Storage").write("t","a\\nb")\n');
    expect(here.type(packet(FILE_RECEIVE, '{fn:"t"}'))).toBe("\x06\x10\x01\x80\x03a\r\nb\x10\x01\x80\x00");
  });

  test("a missing file, a size of 0, a file system and an unknown type bring NAK", () => {
    const here = bench();
    expect(here.type(packet(FILE_RECEIVE, '{fn:"nope"}'))).toBe("\x15");
    expect(here.type(packet(FILE_SEND, '{fn:"t",s:0}'))).toBe("\x15");
    expect(here.type(packet(FILE_SEND, '{fn:"t",s:5,fs:1}'))).toBe("\x15");
    expect(here.type(packet(0xc000, "x"))).toBe("\x15");
  });

  test("DATA that Storage refuses is acknowledged all the same, and the error follows", () => {
    const here = bench();
    here.type(packet(FILE_SEND, '{fn:"t",s:50000}'));
    const answer = here.type(packet(DATA, "abc")).replaceAll("\r\x1b[J", "");
    expect(answer).toContain("\x06Uncaught Error: Unable to find or create file");
  });

  test("a packet that stops for 5 s is refused, and the rest is typed text", () => {
    const here = bench();
    expect(here.type(packet(EVAL, "12345").slice(0, -2), 4)).toBe("");
    here.pass(2);
    expect(here.take()).toBe("\x15");
    expect(here.type("7\n")).toContain("=7");
  });

  test("a file that gets no data for 10 s is closed", () => {
    const here = bench();
    here.type(packet(FILE_SEND, '{fn:"t",s:10}'));
    here.pass(11);
    expect(here.type(packet(DATA, "abc"))).toBe("\x15");
  });

  test("Ctrl-C inside a packet is a byte like any other", () => {
    expect(bench().type(packet(EVAL, '"\x03".length'))).toBe("\x06\x10\x01\x00\x011");
  });

  test("releases before 2v25 know no packets", () => {
    const here = bench({ firmware: "2v24" });
    expect(here.type("\x05")).toBe("Espruino 2v24 PUCKJS\r\n");
    expect(here.type(`${packet(EVAL, "1+1")}\n`)).not.toContain("\x06");
  });
});
