import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FLASH_PAGE, FlashImage, PowerCut } from "../../host-tools/simulator/flash.ts";
import { bench } from "../support/bench-board.ts";

const SIZE = 4 * FLASH_PAGE;

describe("flash", () => {
  test("a write clears bits and never sets one; an erase sets all of its page", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(SIZE - 64), fc.uint8Array({ maxLength: 64 })), { maxLength: 12 }), (writes) => {
        const flash = new FlashImage(SIZE);
        const expected = new Uint8Array(SIZE).fill(0xff);
        for (const [address, bytes] of writes) {
          flash.write(address, bytes);
          bytes.forEach((byte, i) => {
            expected[address + i]! &= byte;
          });
        }
        expect(Buffer.compare(flash.read(0, SIZE), expected)).toBe(0);
        flash.erase(FLASH_PAGE + 17);
        expected.fill(0xff, FLASH_PAGE, 2 * FLASH_PAGE);
        expect(Buffer.compare(flash.read(0, SIZE), expected)).toBe(0);
      }),
    );
  });

  test("writes and erases are counted", () => {
    const flash = new FlashImage(SIZE);
    flash.write(10, new Uint8Array(30));
    flash.erase(5000);
    flash.erase(4096);
    expect(flash.bytesWritten).toBe(30);
    expect([...flash.erases]).toEqual([[4096, 2]]);
  });

  test("the power can go after any byte of a write", () => {
    const flash = new FlashImage(SIZE);
    flash.cutAfter(3);
    expect(() => flash.write(100, Uint8Array.of(1, 2, 3, 4))).toThrow(PowerCut);
    expect([...flash.read(100, 4)]).toEqual([1, 2, 3, 0xff]);
    flash.keepPower();
    flash.write(103, Uint8Array.of(4));
    expect([...flash.read(100, 4)]).toEqual([1, 2, 3, 4]);
  });

  test("and in the middle of an erase", () => {
    const flash = new FlashImage(SIZE);
    flash.write(0, new Uint8Array(FLASH_PAGE));
    flash.cutInErase(1);
    expect(() => flash.erase(0)).toThrow(PowerCut);
    expect([flash.byteAt(0), flash.byteAt(2047), flash.byteAt(2048)]).toEqual([0xff, 0xff, 0]);
  });

  test("on SPI a cut leaves any bits of the program operation, nothing of the next one, and what was cleared before", () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      const flash = new FlashImage(SIZE, 0x60000000, true);
      for (let i = 0; i < seed; i++) {
        flash.cutAfter(1);
        expect(() => flash.write(0x60001000, Uint8Array.of(0, 0))).toThrow(PowerCut);
      }
      flash.keepPower();
      flash.write(0x60000000, new Uint8Array(250));
      // 6 bytes up to the border, and 6 behind it
      flash.cutAfter(3);
      expect(() => flash.write(0x600000fa, new Uint8Array(12))).toThrow(PowerCut);
      expect(flash.isErased(0x60000100, 6)).toBe(true);
      expect([...flash.read(0x60000000, 250)].every((byte) => byte === 0)).toBe(true);
      outcomes.add(Buffer.from(flash.read(0x600000fa, 6)).toString("hex"));
      flash.keepPower();
    }
    expect(outcomes.size).toBeGreaterThan(10);
    // a bit of a later byte may have been cleared before one of an earlier byte
    expect([...outcomes].some((hex) => /^ff.*[^f]/.test(hex) || /^[^0].*00/.test(hex))).toBe(true);
  });

  test("on SPI an erase that is cut leaves anything in its page and nothing else elsewhere", () => {
    const flash = new FlashImage(SIZE, 0x60000000, true);
    flash.write(0x60000000, new Uint8Array(2 * FLASH_PAGE));
    flash.cutInErase(1);
    expect(() => flash.erase(0x60000000)).toThrow(PowerCut);
    expect(new Set(flash.read(0x60000000, FLASH_PAGE)).size).toBeGreaterThan(200);
    expect(flash.read(0x60001000, FLASH_PAGE).every((byte) => byte === 0)).toBe(true);
  });

  test("an image that was saved is the same when it is loaded", () => {
    const folder = mkdtempSync(join(tmpdir(), "tracelet-flash-"));
    try {
      const flash = new FlashImage(SIZE);
      flash.write(9000, Uint8Array.of(1, 2, 3));
      flash.erase(0);
      flash.save(join(folder, "flash.bin"));
      const loaded = new FlashImage(SIZE).load(join(folder, "flash.bin"));
      expect(loaded.read(0, SIZE)).toEqual(flash.read(0, SIZE));
      expect([loaded.bytesWritten, [...loaded.erases]]).toEqual([3, [[0, 1]]]);
      expect(() => new FlashImage(2 * SIZE).load(join(folder, "flash.bin"))).toThrow(/16384 bytes, this board's flash has 32768/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('require("Flash")', () => {
  test("reads, writes and erases at addresses", () => {
    const here = bench();
    here.board.evaluate('F=require("Flash");A=process.memory().flash_code_start');
    expect(here.value("A")).toBe(442_368);
    expect(here.value("F.getPage(A+5)")).toEqual({ addr: 442_368, length: 4096 });
    here.board.evaluate("F.write(new Uint8Array([1,2,3,4]),A+8)");
    expect(here.value("[F.read(6,A+7)]")).toEqual([[255, 1, 2, 3, 4, 255]]);
    here.board.evaluate("F.write([0xF0],A+9)");
    expect(here.value("[F.read(4,A+8)]")).toEqual([[1, 0, 3, 4]]);
    here.board.evaluate("F.erasePage(A)");
    expect(here.value("[F.read(4,A+8)]")).toEqual([[255, 255, 255, 255]]);
  });

  test("SoftDevice and bootloader are left alone", () => {
    const here = bench();
    here.board.evaluate('F=require("Flash");F.write(new Uint8Array(4),0x1000);F.write(new Uint8Array(4),0x79000);F.write(new Uint8Array(4),0x70000)');
    expect(here.value("[F.read(1,0x1000)[0],F.read(1,0x79000)[0],F.read(1,0x70000)[0]]")).toEqual([255, 255, 0]);
  });

  test("the script stands still while flash is erased or written", () => {
    const here = bench();
    here.board.evaluate('t=getTime();require("Flash").erasePage(0x70000);d=getTime()-t');
    expect(here.value("d")).toBeCloseTo(0.09, 2);
    here.board.evaluate('t=getTime();require("Flash").write(new Uint8Array(4096),0x70000);d=getTime()-t');
    expect(here.value("d")).toBeCloseTo(0.346, 2);
  });
});
