import { describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { Bench, bench } from "../support/bench-board.ts";

const { address: AREA } = puckjs.storage;
const AREA_BYTES = puckjs.storage.pages * puckjs.storage.pageBytes;

function storageBench(): Bench {
  const here = bench();
  here.board.evaluate('s=require("Storage");function tell(f){try{return f()}catch(e){return e.type+": "+e.message}}');
  return here;
}

// Answers as of the real interpreter; after 2,400 random operations and 38 power cuts its flash and ours were the same byte for byte.
describe('require("Storage")', () => {
  test("a file is a header of 32 bytes and its data, at a multiple of four", () => {
    const here = storageBench();
    here.board.evaluate('s.write("ab","hello");s.write("c",[1,2])');
    const bytes = Buffer.from(here.board.flash.read(AREA, 80));
    expect(bytes.readUInt32LE(0)).toBe(5);
    expect(bytes.toString("latin1", 4, 8)).toBe("ab\0\0");
    expect(bytes.toString("latin1", 32, 40)).toBe("hello\xff\xff\xff");
    expect(bytes.readUInt32LE(40)).toBe(2);
    expect(bytes[44]).toBe("c".charCodeAt(0));
  });

  test.each([
    ["a second write of the same bytes is true and writes nothing", 's.write("a","x"),s.write("a","x"),s.getStats().trashCount', 0],
    ["other bytes replace the file", 's.write("a","x"),s.write("a","yz"),[s.read("a"),s.getStats().trashCount]', ["yz", 1]],
    ["an object is written as JSON", 's.write("a",{b:[1]}),s.read("a")', '{"b":[1]}'],
    ["a number is one byte", 's.write("a",65),s.read("a")', "A"],
    ["a part is read by offset and length", 's.write("a","hello"),[s.read("a",1,3),s.read("a",3),s.read("a",9)]', ["ell", "lo", ""]],
    ["reading what is not there", 's.read("nope")===undefined', true],
    ["28 characters name a file", 's.write("x".repeat(30),"1"),s.read("x".repeat(28))', "1"],
    ["reserved bytes read as 0xFF", 's.write("a","",0,3),s.read("a").charCodeAt(2)', 255],
    ["a reserved file is filled by offset", 's.write("a","",0,6),s.write("a","abc"),0', 0],
    ["and by parts", 's.write("b","ab",0,6),s.write("b","cd",2),s.write("b","ef",4),s.read("b")', "abcdef"],
    ["deleted", 's.write("a","x"),s.erase("a"),s.list().length', 0],
    ["list by pattern", 's.write("a.js","x"),s.write("b","x"),s.list(/\\.js$/)', ["a.js"]],
    ["readJSON is liberal", 's.write("a","{b:1,c:[2,],}"),s.readJSON("a")', { b: 1, c: [2] }],
    ["writeJSON drops quotes", 's.writeJSON("a",{b:"\\xff",c:1}),s.read("a").length', 14],
    ["readArrayBuffer", 's.write("a",[1,2,3]),new Uint8Array(s.readArrayBuffer("a"))[2]', 3],
  ])("%s", (_what, expression, answer) => {
    expect(storageBench().value(expression)).toEqual(answer);
  });

  test.each([
    ["nothing to write", 's.write("a","")', "Can't create zero length file"],
    ["undefined", 's.write("a")', "Can't get pointer to data to write"],
    ["bytes that are there already", '(s.write("a","ab",0,6),s.write("a","xy",1))', "File already written with different data"],
    [
      "the same bytes again at an offset",
      '(s.write("a","ab",0,6),s.write("a","cd",2),s.write("a","cd",2))',
      "File already written with different data",
    ],
    ["past the end", '(s.write("a","ab",0,4),s.write("a","abc",2))', "Too much data for file size"],
    ["an offset into a file that isn't there", 's.write("new","x",4)', "Unable to find or create file"],
    ["no room", 's.write("a","x",0,50000)', "Unable to find or create file"],
    ["broken JSON", '(s.write("a","{b:"),s.readJSON("a"))', undefined],
  ])("it throws for %s", (_what, expression, message) => {
    const answer = storageBench().value(`tell(function(){return ${expression}})`);
    if (message === undefined) expect(answer).toMatch(/^SyntaxError/);
    else expect(answer).toBe(`Error: ${message}`);
  });

  test("when trash would make room it compacts, and says so", () => {
    const here = storageBench();
    here.board.evaluate('for(var i=0;i<9;i++)s.write("f"+i,"x".repeat(4000));s.erase("f0");s.erase("f1")');
    let printed = "";
    here.board.onPrint((text) => {
      printed += text;
    });
    here.take();
    expect(here.value('s.write("big","y".repeat(7000))')).toBe(true);
    here.pass(5);
    expect(here.take()).toContain("Compacting... ");
    expect(printed).toBe("");
    expect(here.value('[s.list(),s.getStats().trashBytes,s.read("f8").length]')).toEqual([
      ["f2", "f3", "f4", "f5", "f6", "f7", "f8", "big"],
      0,
      4000,
    ]);
    expect([...here.board.flash.erases.keys()]).toContain(AREA);
  });

  test("compaction takes the time of its erases and writes", () => {
    const here = storageBench();
    here.board.evaluate('s.write("a","x".repeat(30000));s.write("b","x");s.erase("a");t=getTime();s.compact();d=getTime()-t');
    expect(here.value("d")).toBeGreaterThan(0.6);
  });

  test("a string that was read knows its address in flash", () => {
    const here = storageBench();
    here.board.evaluate('s.write("a","hello")');
    expect(here.value('E.getAddressOf(s.read("a"),true)')).toBe(AREA + 32);
    expect(here.value('E.getAddressOf(s.read("a",2),true)')).toBe(AREA + 34);
    expect(here.value('E.getAddressOf("other",true)')).toBe(0);
  });
});

describe("a StorageFile", () => {
  test("is read by line and by length, and counted", () => {
    const here = storageBench();
    here.board.evaluate('f=s.open("log","w");f.write("one\\n");f.write("two\\nrest")');
    expect(
      here.value('[f=s.open("log","r"),f.readLine(),f.read(3),f.readLine(),f.readLine(),f.readLine()===undefined,f.getLength()].slice(1)'),
    ).toEqual(["one\n", "two", "\n", "rest", true, 12]);
    expect(here.value("s.list()")).toEqual(["log\x01"]);
    expect(here.value("s.list(undefined,{sf:true})")).toEqual(["log"]);
    expect(here.value("s.list(undefined,{sf:false})")).toEqual([]);
  });

  test("goes on in a fresh chunk of 4064 bytes, and appending finds the end", () => {
    const here = storageBench();
    here.board.evaluate('f=s.open("log","a");f.write("x".repeat(4000));f.write("y".repeat(100));s.open("log","a").write("z")');
    expect(here.value('[s.open("log","r").getLength(),s.read("log\\x01").length,s.read("log\\x02").substr(35,3)]')).toEqual([4101, 4064, "yz\xff"]);
    expect(here.value('(s.open("log","r").erase(),s.list().length)')).toBe(0);
  });

  test("ends at the first 0xFF", () => {
    const here = storageBench();
    here.board.evaluate('f=s.open("log","w");f.write("ab\\xffcd");');
    expect(here.value('s.open("log","r").read(10)')).toBe("ab");
  });

  test("refuses the wrong mode, and a first piece that is larger than a chunk closes it", () => {
    const here = storageBench();
    expect(here.value('tell(function(){return s.open("l","r").write("x")})')).toBe("Error: Can't write in this mode");
    expect(here.value('tell(function(){return s.open("l","a").read(1)})')).toBe("Error: Can't read in this mode");
    expect(here.value('tell(function(){return s.open("l","x")})')).toBe('Error: Invalid mode "x"');
    here.board.evaluate('f=s.open("l","a")');
    expect(here.value('tell(function(){return f.write("x".repeat(5000))})')).toBe("Error: Too much data for file size");
    expect(here.value('tell(function(){return f.write("x")})')).toBe("Error: Can't write in this mode");
  });
});

describe("power cuts", () => {
  /** A board whose power goes after so many bytes of `script`, and then comes back. */
  function cut(script: string, bytes: number): Bench {
    const first = storageBench();
    first.board.evaluate('s.write("a","hello")');
    first.board.flash.cutAfter(bytes);
    first.board.evaluate(script);
    expect(first.board.powered).toBe(false);
    first.board.flash.keepPower();
    const second = new Bench({ flash: first.board.flash });
    second.powerOn();
    second.board.evaluate('s=require("Storage")');
    return second;
  }

  test("after the size of a new file its name reads as 28 times 0xFF", () => {
    expect(cut('s.write("b","x")', 4).value("s.list()")).toEqual(["a", "\xff".repeat(28)]);
  });

  test("between deleting a file and writing it anew it is gone", () => {
    expect(cut('s.write("a","world")', 4).value("s.list()")).toEqual([]);
  });

  test("within the data the rest reads as 0xFF", () => {
    expect(cut('s.write("b","abcdefgh")', 32 + 4).value('s.read("b")')).toBe("abcd\xff\xff\xff\xff");
  });

  test("half a size ends the chain there: a later write says true and is lost", () => {
    const here = cut('s.write("b","x".repeat(300))', 2);
    expect(here.value('[s.list(),s.write("c","x"),s.read("c")===undefined]')).toEqual([["a"], true, true]);
  });

  test("Storage that begins with nonsense is erased at the first start", () => {
    const here = new Bench();
    here.board.flash.write(AREA, Uint8Array.of(0x12, 0x34, 0x56, 0x78));
    expect(here.powerOn()).toContain("Storage is corrupt.\r\nErasing Storage Area...\r\nErase complete.\r\n");
    expect(here.board.flash.isErased(AREA, AREA_BYTES)).toBe(true);
  });

  test("no catch clause and no finally of the script sees the power go", () => {
    const here = storageBench();
    here.board.flash.cutAfter(0);
    here.board.evaluate('try{s.write("b","x")}catch(e){global.seen=1}');
    expect(here.board.powered).toBe(false);
    here.board.flash.keepPower();
    here.powerOn();
    expect(here.value("typeof seen")).toBe("undefined");
  });
});
