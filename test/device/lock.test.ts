import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBundle } from "../../host-tools/cli/flash.ts";
import { synchronise } from "../../host-tools/device/clock-sync.ts";
import { configure } from "../../host-tools/device/config.ts";
import { flash } from "../../host-tools/device/flash.ts";
import { lockAnswer, setLock } from "../../host-tools/device/lock.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import { RECOVERY_FILE } from "../../host-tools/device/storage-survey.ts";
import type { Radio } from "../../host-tools/simulator/radio.ts";
import { Store } from "../../host-tools/store/store.ts";
import { LOG_FILE } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { findInFlash } from "../support/flash-log.ts";
import { type Bench, cutAt, failureOf, KEY, lockedBoard, OTHER_KEY, RawPort, recordWrites, start, talk } from "../support/locked-board.ts";
import { writeRecords } from "../support/worn-boards.ts";

const pass = ({ clock }: Bench, seconds: number) => clock.advanceTo(clock.now + seconds);

function powerCycle(bench: Bench, options?: Parameters<typeof bench.board.powerOn>[0], seconds = 5): void {
  bench.board.powerOff();
  bench.board.powerOn(options);
  pass(bench, seconds);
}

describe("a board with a lock key", () => {
  test.each([
    ["puckjs", "wearable"],
    ["puckjs", "scanner"],
    ["puckjs", "beacon"],
    // no AES in their interpreters
    ["mdbt42q", "scanner"],
    ["microbit2", "beacon"],
  ])("a %s as %s is locked from the first start, opens with its key, and is locked again behind every command", async (id, role) => {
    const bench = await lockedBoard({ id, role });
    expect((await failureOf(talk(bench, (link) => link.status()))).code).toBe("board_locked");
    expect(await talk(bench, (link) => link.status(), KEY)).toMatchObject({ r: role, lk: 1, wr: 0 });
    expect(bench.board.consoleDevice).toBeNull();
    expect((await failureOf(talk(bench, (link) => link.status()))).code).toBe("board_locked");
    expect(bench.board.errors).toEqual([]);
  });

  test("every command finds its way: clock, settings, log, own keys, and flash with a restart in it", async () => {
    const bench = await lockedBoard();
    const store = Store.open(":memory:");
    expect(Math.abs((await talk(bench, (link) => synchronise(link), KEY)).after.offsetMs)).toBeLessThan(100);
    expect(await talk(bench, (link) => configure(link, [{ name: "txPower", value: -8 }]), KEY)).toMatchObject({ txPower: -8 });
    expect((await talk(bench, (link) => pullLog(link, store), KEY)).added).toBeGreaterThan(2);
    expect((await talk(bench, (link) => link.keys(false), KEY)).length % 26).toBe(0);
    const { code, manifest } = await firmwareFor("wearable", "puckjs", { txPower: -4 }, ["lock"]);
    const flashed = await talk(bench, (link) => flash(link, toBundle(Buffer.from(code, "latin1"), manifest)), KEY);
    expect(flashed).toMatchObject({ version: manifest.version, freshLog: false });
    expect(bench.board.consoleDevice).toBeNull();
    await store.close();
  });

  test("without the key the error says so, at once, and spends no attempt", async () => {
    const bench = await lockedBoard();
    const before = bench.clock.now;
    const { code, message } = await failureOf(talk(bench, (link) => link.status()));
    expect(bench.clock.now - before).toBeLessThan(1);
    expect(code).toBe("board_locked");
    for (const words of ["--key-file", "TRACELET_KEY_FILE", "hold its button down", "docs/lock.md"]) expect(message).toContain(words);
    expect((await talk(bench, (link) => link.status(), KEY)).wr).toBe(0);
  });

  test("a wrong key is told apart from none, and the right one has to wait", async () => {
    const bench = await lockedBoard();
    expect((await failureOf(talk(bench, (link) => link.status(), OTHER_KEY))).code).toBe("wrong_key");
    // a second is waited for without a word
    expect(await talk(bench, (link) => link.status(), KEY)).toMatchObject({ wr: 1 });
    for (let i = 0; i < 4; i++) await failureOf(talk(bench, (link) => link.status(), OTHER_KEY));
    const { code, message } = await failureOf(talk(bench, (link) => link.status(), KEY));
    expect(code).toBe("lock_waits");
    expect(message).toMatch(/takes none for \d+ s/);
  });

  test("another key takes the place of the first, which opens nothing from then on", async () => {
    const bench = await lockedBoard();
    await talk(bench, (link) => setLock(link, OTHER_KEY), KEY);
    powerCycle(bench);
    expect((await failureOf(talk(bench, (link) => link.status(), KEY))).code).toBe("wrong_key");
    pass(bench, 2);
    expect(await talk(bench, (link) => link.status(), OTHER_KEY)).toMatchObject({ lk: 1 });
    expect(findInFlash(bench.board, KEY)).toEqual([]);
    expect(findInFlash(bench.board, OTHER_KEY)).toHaveLength(1);
  });

  test("the lock comes off, and stays off", async () => {
    const bench = await lockedBoard();
    await talk(bench, (link) => setLock(link, undefined), KEY);
    powerCycle(bench);
    expect(await talk(bench, (link) => link.status())).toMatchObject({ lk: 0 });
    expect(bench.board.consoleDevice).toBe("Serial1");
    expect(findInFlash(bench.board, KEY)).toEqual([]);
    await talk(bench, (link) => setLock(link, OTHER_KEY));
    expect((await failureOf(talk(bench, (link) => link.status()))).code).toBe("board_locked");
  });

  test("its key moves along when the log goes round, and there is one of it", async () => {
    const bench = await lockedBoard();
    writeRecords(bench.board, 200);
    await talk(bench, (link) => setLock(link, OTHER_KEY), KEY);
    const [before] = findInFlash(bench.board, OTHER_KEY);
    writeRecords(bench.board, 1000);
    const places = findInFlash(bench.board, OTHER_KEY);
    expect(places).toHaveLength(1);
    expect(places[0]).not.toBe(before);
    powerCycle(bench);
    expect((await failureOf(talk(bench, (link) => link.status()))).code).toBe("board_locked");
    expect(await talk(bench, (link) => link.status(), OTHER_KEY)).toMatchObject({ lk: 1 });
    expect(bench.board.errors).toEqual([]);
  });

  test("is refused where a button would be a way round it", async () => {
    const bench = await lockedBoard({ lock: false });
    await talk(bench, (link) => link.repl.evaluate(`require("Storage").erase("${RECOVERY_FILE}")`));
    expect((await failureOf(talk(bench, (link) => setLock(link, KEY)))).code).toBe("no_recovery");
  });

  test("own keys are handed over without the lock's, and the log says when", async () => {
    const bench = await lockedBoard();
    const store = Store.open(":memory:");
    await talk(bench, (link) => synchronise(link), KEY);
    const keys = Buffer.from(await talk(bench, (link) => link.keys(false), KEY));
    const at = bench.clock.now * 1000;
    expect(keys.includes(KEY)).toBe(false);
    expect(keys).toHaveLength(26);
    const { logId } = await talk(bench, (link) => pullLog(link, store), KEY);
    const handOvers = await store.keyHandOvers(logId);
    expect(handOvers).toHaveLength(1);
    expect(Math.abs(handOvers[0]! - at)).toBeLessThan(2000);
    await store.close();
  });
});

describe("the ports of a locked board", () => {
  test("whatever comes in, nothing comes out but challenges, nothing runs, and nothing is interrupted", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    const files = bench.board.storage.files().length;
    const attacks = [
      "\n",
      "T.s()\n",
      "\x10print(1)\n",
      "\x03",
      "\x05",
      "\x10\x01\x20\x04T.s()",
      "\x1b[2H\x10load()\n",
      "echo(1)\n",
      "x".repeat(5000) + "\n",
      "??\n",
      "? \n",
      "?\r\n",
      " ?\n",
      "0".repeat(32) + "\n",
      "g".repeat(32) + "\n",
    ];
    for (const attack of attacks) {
      port.all = "";
      expect(port.say(attack, 6), JSON.stringify(attack)).toEqual([]);
      expect(port.all, JSON.stringify(attack)).toBe("");
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const text = Buffer.from(noise).toString("latin1").replace(/\?/g, "!");
        port.all = "";
        expect(port.say(text, 0.4)).toEqual([]);
        expect(port.all).toBe("");
      }),
      { numRuns: 60 },
    );
    expect(bench.board.consoleDevice).toBeNull();
    expect(bench.board.storage.files()).toHaveLength(files);
    expect(bench.board.errors).toEqual([]);
    expect(await talk(bench, (link) => link.status(), KEY)).toMatchObject({ wr: 0 });
  });

  test("a challenge is fresh each time, serves once, and is good for a minute", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    const first = port.challenge();
    const second = port.challenge();
    expect(Buffer.from(first.nonce).equals(second.nonce)).toBe(false);
    // the first was replaced: a wrong answer
    expect(port.say(`${lockAnswer(KEY, first.nonce)}\n`)).toEqual(["!key"]);
    // that was the second one's only chance
    expect(port.say(`${lockAnswer(KEY, second.nonce)}\n`)).toEqual([]);
    pass(bench, 5);
    const late = port.challenge();
    pass(bench, 61);
    expect(port.say(`${lockAnswer(KEY, late.nonce)}\n`)).toEqual(["!key"]);
    pass(bench, 5);
    const good = port.challenge();
    const line = `${lockAnswer(KEY, good.nonce)}\n`;
    expect(port.say(line)).toEqual(["{}"]);
    port.say("\x10T.l()\n");
    expect(bench.board.consoleDevice).toBeNull();
    // a recording opens nothing
    expect(port.say(line)).toEqual([]);
    port.challenge();
    expect(port.say(line)).toEqual(["!key"]);
  });

  test("wrong answers make it wait twice as long each time, up to an hour; a right one too early is a wrong one; a restart forgets", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    const waits: number[] = [];
    for (let i = 0; i < 15; i++) {
      expect(port.answer(OTHER_KEY)).toEqual(["!key"]);
      const { wait } = port.challenge();
      waits.push(wait);
      pass(bench, wait);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]);
    expect(port.answer(OTHER_KEY)).toEqual(["!key"]);
    expect(port.answer(KEY)).toEqual(["!key"]);
    expect(port.challenge().wait).toBe(3600);
    powerCycle(bench);
    expect(port.challenge().wait).toBe(0);
    expect(port.answer(KEY)).toEqual(["{}"]);
  });

  test("a thousand guesses take longer than a month", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    const begun = bench.clock.now;
    let guesses = 0;
    for (let i = 0; i < 40; i++) {
      const { wait } = port.challenge();
      pass(bench, wait);
      if (port.answer(OTHER_KEY)[0] === "!key") guesses++;
    }
    const perGuess = (bench.clock.now - begun) / guesses;
    expect((perGuess * 1000) / 86400).toBeGreaterThan(25);
    // from the thirteenth on each costs an hour
    expect(port.challenge().wait).toBeGreaterThan(3500);
  });

  test("a session ends five minutes after the last command, not before", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    expect(port.answer(KEY)).toEqual(["{}"]);
    for (let i = 0; i < 3; i++) {
      pass(bench, 290);
      expect(port.say("\x10T.s()\n", 2)).toHaveLength(1);
    }
    pass(bench, 302);
    expect(bench.board.consoleDevice).toBeNull();
    expect(port.say("\x10T.s()\n", 2)).toEqual([]);
  });

  test("through the radio there is the challenge and nothing else, and the session ends with the connection", async () => {
    const bench = await lockedBoard();
    await talk(bench, (link) => synchronise(link), KEY);
    bench.board.pressButton(3000);
    pass(bench, 4);
    const radio = bench.board.radio as Radio;
    const link = radio.connect();
    let listener: (bytes: Uint8Array) => void = () => {};
    const port = new RawPort(
      bench,
      (bytes) => link.uart(bytes),
      (given) => {
        listener = given;
      },
    );
    link.onUart = (bytes) => listener(bytes);
    expect(link.services()).toEqual([]);
    expect(bench.board.consoleDevice).toBeNull();
    for (const attack of ["\n", "T.s()\n", "\x03", "\x10print(1)\n"]) expect(port.say(attack, 1)).toEqual([]);
    expect(port.all).toBe("");
    expect(port.answer(OTHER_KEY)).toEqual(["!key"]);
    pass(bench, 2);
    expect(port.answer(KEY)).toEqual(["{}"]);
    expect(bench.board.consoleDevice).toBe("Bluetooth");
    expect(port.say("\x10T.s()\n", 2)).toHaveLength(1);
    // the wire is none the wiser
    const wire = RawPort.wire(bench);
    expect(wire.say("\x10T.s()\n", 2)).toEqual([]);
    link.disconnect();
    pass(bench, 1);
    expect(bench.board.consoleDevice).toBeNull();
  });

  test("the name that a central could read is the same for every locked board", async () => {
    const bench = await lockedBoard();
    bench.board.pressButton(3000);
    pass(bench, 4);
    expect((bench.board.radio as Radio).deviceName).toBe("-");
  });

  test("no secret stands in what a session says or an error tells", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    await talk(bench, (link) => setLock(link, OTHER_KEY), KEY);
    await talk(bench, (link) => link.status(), OTHER_KEY);
    const { message } = await failureOf(talk(bench, (link) => link.status(), KEY));
    for (const key of [KEY, OTHER_KEY])
      for (const shown of [port.all, message]) {
        expect(shown).not.toContain(key.toString("latin1"));
        expect(shown).not.toContain(key.toString("hex"));
      }
  });
});

describe("taking a locked board back without its key", () => {
  test("held at power-on: everything is overwritten, and only then there is a console; flash makes a board of it again", async () => {
    const bench = await lockedBoard();
    await talk(bench, (link) => synchronise(link), KEY);
    const tek = (await talk(bench, (link) => link.keys(false), KEY)).subarray(0, 16);
    expect(findInFlash(bench.board, tek).length).toBeGreaterThan(0);
    const { board } = bench;
    const write = board.flash.write.bind(board.flash);
    const consoles = new Set<string | null>();
    board.flash.write = (address, bytes) => {
      consoles.add(board.consoleDevice);
      write(address, bytes);
    };
    powerCycle(bench, { buttonHeld: true }, 20);
    // not before it is done
    expect([...consoles]).toEqual([null]);
    expect(bench.board.consoleDevice).toBe("Serial1");
    const log = bench.board.storage.read(LOG_FILE)!;
    expect(findInFlash(bench.board, tek)).toEqual([]);
    expect(findInFlash(bench.board, KEY)).toEqual([]);
    expect([...log].filter((byte) => byte !== 0).length).toBeLessThanOrEqual(8);
    const { code, manifest } = await firmwareFor("wearable", "puckjs", {}, ["lock"]);
    const flashed = await talk(bench, (link) => flash(link, toBundle(Buffer.from(code, "latin1"), manifest)));
    expect(flashed).toMatchObject({ freshLog: true });
    expect(await talk(bench, (link) => link.status())).toMatchObject({ lk: 0, hi: 21 });
  });

  test("held past the self test, which takes the firmware away, it is the same", async () => {
    const bench = await lockedBoard();
    powerCycle(bench, { buttonHeld: "long" }, 20);
    expect(bench.board.consoleDevice).toBe("Serial1");
    expect(findInFlash(bench.board, KEY)).toEqual([]);
  });

  test("a board without a key loses nothing by its button", async () => {
    const bench = await lockedBoard({ lock: false });
    const before = Buffer.from(bench.board.storage.read(LOG_FILE)!);
    powerCycle(bench, { buttonHeld: true }, 20);
    expect(Buffer.from(bench.board.storage.read(LOG_FILE)!).equals(before)).toBe(true);
    expect(await talk(bench, async (link) => link.identity.firmware)).toBe(false);
    powerCycle(bench);
    expect(await talk(bench, (link) => link.status())).toMatchObject({ lk: 0 });
  });

  test("a board without a key whose log ends as the mark of a key begins loses nothing, and starts", async () => {
    const bench = await lockedBoard({ lock: false });
    // the interpreter's indexOf takes it for the mark
    bench.board.evaluate(`(function(l){require("Flash").write("\\0",E.getAddressOf(l,true)+l.length-1)})(require("Storage").read("${LOG_FILE}"))`);
    const before = Buffer.from(bench.board.storage.read(LOG_FILE)!);
    expect(before.at(-1)).toBe(0);
    powerCycle(bench, { buttonHeld: true }, 20);
    expect(Buffer.from(bench.board.storage.read(LOG_FILE)!).equals(before)).toBe(true);
    powerCycle(bench);
    expect(await talk(bench, (link) => link.status())).toMatchObject({ lk: 0 });
  });

  test("a board whose lock was taken off loses nothing either", async () => {
    const bench = await lockedBoard();
    await talk(bench, (link) => setLock(link, undefined), KEY);
    const before = Buffer.from(bench.board.storage.read(LOG_FILE)!);
    powerCycle(bench, { buttonHeld: true }, 20);
    expect(Buffer.from(bench.board.storage.read(LOG_FILE)!).equals(before)).toBe(true);
  });

  test("characters and Ctrl-C that come while the board starts don't get in between", async () => {
    for (const attack of ["\x03", "\x03\n\x10T.s()\n", "\n\n\x03\x03"]) {
      const bench = await lockedBoard();
      bench.board.powerOff();
      bench.board.powerOn();
      const port = RawPort.wire(bench);
      for (let i = 0; i < 40; i++) port.say(attack, 0.05);
      expect(port.frames).toEqual([]);
      expect(bench.board.consoleDevice).toBeNull();
      expect(await talk(bench, (link) => link.status(), KEY)).toMatchObject({ lk: 1 });
    }
  });

  test("the power goes while it is overwritten, at any byte: then there is a lock, or there is no data", async () => {
    const prepared = await lockedBoard();
    await talk(prepared, (link) => synchronise(link), KEY);
    await talk(prepared, (link) => setLock(link, OTHER_KEY), KEY);
    const tek = (await talk(prepared, (link) => link.keys(false), OTHER_KEY)).subarray(0, 16);
    prepared.board.powerOff();
    const image = prepared.board.flash;
    const recovered = start(image.clone());
    recovered.board.powerOff();
    const before = recovered.board.flash.clone();
    const writes = recordWrites(recovered.board.flash, () => powerCycle(recovered, { buttonHeld: true }, 20));
    const total = writes.reduce((sum, { bytes }) => sum + bytes.length, 0);
    let open = 0;
    let locked = 0;
    const fractions = Array.from({ length: 10 }, (_, i) => Math.floor((total * i) / 10));
    const last = Array.from({ length: 30 }, (_, i) => total - 3 * i);
    for (const cut of [...fractions, ...last]) {
      const { board } = start(cutAt(before, writes, cut));
      if (board.consoleDevice === null) locked++;
      else {
        open++;
        expect(findInFlash(board, tek), `cut after ${cut} of ${total} bytes`).toEqual([]);
      }
    }
    expect(locked).toBeGreaterThan(5);
    expect(open).toBeGreaterThan(0);
  });
});

describe("a change of key whose power goes", () => {
  test("at every byte: one of the two keys holds, and never none", async () => {
    const bench = await lockedBoard();
    const port = RawPort.wire(bench);
    port.answer(KEY);
    const before = bench.board.flash.clone();
    const call = `T.l(${[0, 4, 8, 12].map((at) => OTHER_KEY.readUInt32LE(at)).join()})`;
    const writes = recordWrites(bench.board.flash, () => port.say(`\x10${call}\n`, 1));
    const total = writes.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const opened = { old: 0, fresh: 0 };
    for (let cut = 0; cut <= total; cut++) {
      const made = start(cutAt(before, writes, cut));
      expect(made.board.consoleDevice, `cut after ${cut} bytes`).toBeNull();
      const wire = RawPort.wire(made);
      if (wire.answer(KEY)[0] === "{}") opened.old++;
      else {
        pass(made, 2);
        expect(wire.answer(OTHER_KEY), `cut after ${cut} bytes`).toEqual(["{}"]);
        opened.fresh++;
      }
    }
    expect(opened.old).toBeGreaterThan(20);
    expect(opened.fresh).toBeGreaterThan(20);
  });
});
