import { describe, expect, test } from "vitest";
import { type FlashOptions, flash } from "../../host-tools/device/flash.ts";
import type { FlashImage } from "../../host-tools/simulator/flash.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import type { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { LOG_VERSION } from "../../protocols/log-format.ts";
import { littleFirmware } from "../support/little-firmware.ts";
import { overLink, PORT, virtualBoard } from "../support/virtual-link.ts";

const OLD = littleFirmware({ version: "1.0.0", bytes: 1200 });
const NEW = littleFirmware({ version: "1.1.0", bytes: 1500 });
const ID = Buffer.from("0123456789abcdef", "hex");

function put(clock: VirtualClock, board: VirtualBoard, bundle = OLD, options: FlashOptions = {}, cutBefore?: number) {
  return overLink(clock, board, (link) => flash(link, bundle, { logId: ID, ...options }), cutBefore);
}

async function failure(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as { code: string; message: string },
  );
  if (!error) throw new Error("it succeeded");
  return error;
}

let prepared: FlashImage | undefined;

/** A board with the old firmware and something in its log, just switched on. */
async function flashed() {
  if (!prepared) {
    const { clock, board } = virtualBoard("puckjs");
    await put(clock, board);
    board.flash.write(board.facts.storage.address + 4096, Buffer.from("TLP\x01 a page of records"));
    prepared = board.flash;
  }
  return virtualBoard("puckjs", { flash: prepared.clone() });
}

const logOf = (board: VirtualBoard) => Buffer.from(board.flash.read(board.facts.storage.address + 32, 24544)).toString("latin1");
const codeOf = (board: VirtualBoard) => board.storage.read(".bootcde");

/** Off and on again: what runs now? */
async function versionAfterRestart(clock: VirtualClock, board: VirtualBoard): Promise<string | undefined> {
  board.powerOff();
  board.errors.length = 0;
  board.powerOn();
  return overLink(clock, board, async (link) => (link.identity.firmware ? (await link.status()).v : undefined));
}

describe("putting firmware on a board", () => {
  test("an empty board gets log and code, and runs", async () => {
    const { clock, board } = virtualBoard("puckjs");
    const result = await put(clock, board);
    expect(result).toMatchObject({ version: "1.0.0", replaced: null, freshLog: true, logId: "0123456789abcdef", checkedBy: "SHA-256" });
    expect(Buffer.from(codeOf(board)!)).toEqual(OLD.code);
    expect(board.storage.files().map((file) => file.name.replace(/\0+$/, ""))).toEqual(["tl.log", ".bootcde"]);
    expect(await versionAfterRestart(clock, board)).toBe("1.0.0");
  });

  test("new code replaces the old, and the log stays to the byte", async () => {
    const { clock, board } = await flashed();
    const before = logOf(board);
    expect(await put(clock, board, NEW)).toMatchObject({ version: "1.1.0", replaced: "1.0.0", freshLog: false });
    expect(logOf(board)).toBe(before);
    expect(await versionAfterRestart(clock, board)).toBe("1.1.0");
  });

  test("a board whose files were all deleted counts as empty; one whose log was deleted does not", async () => {
    const { clock, board } = virtualBoard("puckjs");
    board.evaluate('var S=require("Storage");S.write("a",new Uint8Array(9000));S.write("b","x");S.erase("a");S.erase("b")');
    expect(await put(clock, board)).toMatchObject({ freshLog: true });
    const other = await flashed();
    other.board.evaluate('require("Storage").erase("tl.log");require("Storage").erase(".bootcde")');
    expect((await failure(put(other.clock, other.board))).code).toBe("foreign_files");
    expect(logOf(other.board)).toContain("a page of records");
  });

  test("a board that an earlier program left in the middle of a packet is waited for", async () => {
    const { clock, board } = virtualBoard("puckjs");
    board.input(Uint8Array.of(0x10, 0x01, 0x82, 0x00, 0x61, 0x62));
    expect(await put(clock, board)).toMatchObject({ version: "1.0.0" });
  });

  test("many times in a row never fills Storage", async () => {
    const { clock, board } = await flashed();
    for (let i = 2; i < 8; i++) await put(clock, board, littleFirmware({ version: `1.${i}.0`, bytes: 7000 }), { fast: true });
    expect(await versionAfterRestart(clock, board)).toBe("1.7.0");
  });

  test("the same code again writes nothing", async () => {
    const { clock, board } = await flashed();
    const written = board.flash.bytesWritten;
    expect(await put(clock, board)).toMatchObject({ unchanged: true });
    expect(board.flash.bytesWritten).toBe(written);
  });

  test("a raised speed makes it quicker and is lowered again", async () => {
    const { clock, board } = virtualBoard("puckjs");
    const slow = await put(clock, board, littleFirmware({ bytes: 8000 }));
    const quick = await put(clock, board, littleFirmware({ version: "2", bytes: 8000 }), { fast: true });
    expect(quick.seconds).toBeLessThan(slow.seconds * 0.75);
    expect(board.link.baud).toBe(9600);
  });

  test("a board with the log of an interpreter without SHA-256 is checked by CRC", async () => {
    const { clock, board } = virtualBoard("pixljs");
    expect(await put(clock, board, littleFirmware({ board: "pixljs" }))).toMatchObject({ checkedBy: "CRC-32" });
  });

  test("firmware of another version, with other settings, is told as such, and replaced with its log kept", async () => {
    const older = littleFirmware({ version: "0.0.9", settings: [300, 2, 250] });
    const { clock, board } = virtualBoard("puckjs");
    expect(await put(clock, board, older)).toMatchObject({ version: "0.0.9" });
    const { code, message } = await failure(overLink(clock, board, (link) => link.status()));
    expect(code).toBe("other_firmware");
    for (const words of ["0.0.9", "tracelet flash --board puckjs --role wearable", "keeps its log"]) expect(message).toContain(words);
    expect(await put(clock, board, NEW)).toMatchObject({ version: "1.1.0", replaced: "0.0.9", freshLog: false });
    expect((await overLink(clock, board, (link) => link.status())).v).toBe("1.1.0");
  });

  test("an interpreter without packets gets it in lines of text", async () => {
    const { clock, board } = virtualBoard("puckjs", { firmware: "2v24" });
    expect((await failure(put(clock, board))).code).toBe("old_interpreter");
    expect(await put(clock, board, OLD, { oldInterpreter: true })).toMatchObject({ version: "1.0.0" });
  });
});

describe("what is refused, before anything is touched", () => {
  test("firmware for another board", async () => {
    const { clock, board } = virtualBoard("pixljs");
    const { code, message } = await failure(put(clock, board));
    expect(code).toBe("wrong_board");
    for (const words of [PORT, "Pixl.js", "Puck.js", "--board pixljs"]) expect(message).toContain(words);
  });

  test("an interpreter that is too old, with how to update it", async () => {
    for (const firmware of ["2v25", "2v20", "1v99"]) {
      const { clock, board } = virtualBoard("puckjs", { firmware });
      const { code, message } = await failure(put(clock, board));
      expect(code).toBe("old_interpreter");
      for (const words of [firmware, "2v26", "pull first"]) expect(message).toContain(words);
      expect(board.flash.bytesWritten).toBe(0);
    }
    const { clock, board } = virtualBoard("puckjs", { firmware: "2v20" });
    expect((await failure(put(clock, board, OLD, { oldInterpreter: true }))).code).toBe("old_interpreter");
  });

  test("a bundle larger than the room behind its log", async () => {
    const { clock, board } = virtualBoard("puckjs");
    const { code, message } = await failure(put(clock, board, littleFirmware({ bytes: 17_000 })));
    expect(code).toBe("too_large");
    expect(message).toMatch(/1[67]\d\d\d bytes.* 16352/);
  });

  test("files of others, until the user gives them up", async () => {
    const { clock, board } = virtualBoard("puckjs");
    board.evaluate('require("Storage").write("diary","dear diary");require("Storage").write(".bootcde","print(1)")');
    const { code, message } = await failure(put(clock, board));
    expect(code).toBe("foreign_files");
    for (const words of ["diary", ".bootcde", "--erase"]) expect(message).toContain(words);
    expect(codeOf(board)!.length).toBe(8);
    const said: string[] = [];
    expect(await put(clock, board, OLD, { erase: true, say: (text) => said.push(text) })).toMatchObject({ freshLog: true });
    expect(said.join()).toContain("diary");
  });

  test("a log of another format, and code that has no room behind the log that is there", async () => {
    const { clock, board } = await flashed();
    const before = logOf(board);
    for (const bundle of [
      littleFirmware({ version: "2", logVersion: LOG_VERSION + 1 }),
      littleFirmware({ version: "2", logPages: 4, bytes: 17_000 }),
    ]) {
      const { code, message } = await failure(put(clock, board, bundle));
      expect(code).toBe("other_log");
      expect(message).toContain("pull");
    }
    expect(logOf(board)).toBe(before);
    expect(await versionAfterRestart(clock, board)).toBe("1.0.0");
  });

  test("nothing, where only the size of the log differs and the code fits: the log is kept as it is", async () => {
    const { clock, board } = await flashed();
    expect(await put(clock, board, littleFirmware({ version: "2", logPages: 7 }))).toMatchObject({ freshLog: false, logPages: 5 });
    expect(logOf(board)).toContain("a page of records");
  });

  test("erasing records that were not pulled, until the user gives them up", async () => {
    const { clock, board } = await flashed();
    board.storage.erase(".bootcde");
    expect(await versionAfterRestart(clock, board)).toBeUndefined();
    const { code, message } = await failure(put(clock, board, OLD, { erase: true }));
    expect(code).toBe("not_pulled");
    expect(message).toContain("pull");
    const anew = await put(clock, board, NEW, { erase: true, discard: true, logId: Buffer.alloc(8, 7) });
    expect(anew).toMatchObject({ freshLog: true, logId: "0707070707070707" });
    expect(logOf(board)).not.toContain("a page of records");
  });
});

describe("cut at any moment", () => {
  /** Cuts the link at every message in turn until the run gets through. */
  async function everyCut(
    prepare: () => Promise<{ clock: VirtualClock; board: VirtualBoard }>,
    bundle: typeof NEW,
    after: (board: VirtualBoard) => void,
  ) {
    let cuts = 0;
    for (let cutBefore = 1; ; cutBefore++) {
      const { clock, board } = await prepare();
      const outcome = await put(clock, board, bundle, { fast: cutBefore % 2 === 0 }, cutBefore).catch(
        (error: { code: string; message: string }) => error,
      );
      if (!("message" in outcome)) break;
      cuts++;
      expect(outcome.code, outcome.message).toBe("disconnected");
      const running = await versionAfterRestart(clock, board);
      expect([undefined, "1.0.0", bundle.version], `cut before message ${cutBefore}`).toContain(running);
      if (running === undefined) expect(codeOf(board) === undefined || codeOf(board)!.subarray(0, 4).includes(0xff)).toBe(true);
      await put(clock, board, bundle);
      expect(Buffer.from(codeOf(board)!)).toEqual(bundle.code);
      expect(await versionAfterRestart(clock, board)).toBe(bundle.version);
      after(board);
    }
    expect(cuts).toBeGreaterThan(15);
  }

  test("a link that is cut leaves the old firmware, the new one, or none, never a piece; and the same command completes it with the log whole", async () => {
    await everyCut(
      () => flashed(),
      NEW,
      (board) => expect(logOf(board)).toContain("a page of records"),
    );
  });

  test("the same on an empty board", async () => {
    await everyCut(
      async () => virtualBoard("puckjs"),
      OLD,
      () => {},
    );
  });

  /** The power goes as `arrange` says; then it comes back. Answers whether it went at all. */
  async function powerCut(arrange: (board: VirtualBoard) => void): Promise<boolean> {
    const { clock, board } = await flashed();
    arrange(board);
    const outcome = await put(clock, board, NEW).catch((error: { code: string }) => error);
    if (!("code" in outcome)) return false;
    board.flash.keepPower();
    expect([undefined, "1.0.0", "1.1.0"]).toContain(await versionAfterRestart(clock, board));
    await put(clock, board, NEW);
    expect(await versionAfterRestart(clock, board)).toBe("1.1.0");
    expect(logOf(board)).toContain("a page of records");
    return true;
  }

  test("power that fails at any write to flash: the same", async () => {
    let cuts = 0;
    // close together at the beginning and at the end, where headers and the first word are written
    for (let bytes = 0; await powerCut((board) => board.flash.cutAfter(bytes)); bytes += bytes < 48 || bytes > NEW.code.length + 28 ? 3 : 301) cuts++;
    expect(cuts).toBeGreaterThan(20);
  });

  test("power that fails in the middle of an erase: the same", async () => {
    let cuts = 0;
    for (let erase = 1; await powerCut((board) => board.flash.cutInErase(erase)); erase++) cuts++;
    expect(cuts).toBeGreaterThan(2);
  });
});
