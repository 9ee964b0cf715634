import { afterEach, describe, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import type { Board } from "../../host-tools/device/board.ts";
import { flash } from "../../host-tools/device/flash.ts";
import { systemClock } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { receiveFile, sendFile } from "../../host-tools/device/packets.ts";
import { listenAround } from "../../host-tools/provision/bare-radio.ts";
import { knownAnswers } from "../../host-tools/provision/self-test.ts";
import { littleFirmware } from "../support/little-firmware.ts";
import { build, NO_INTERPRETER } from "./abilities.ts";
import { Interpreter, temporaryDirectory } from "./interpreter.ts";

// What the device link takes for granted of the interpreter, asked of the interpreter. Time is real here.

describe.skipIf(NO_INTERPRETER)("the device link with a real interpreter at its end", () => {
  let running: Interpreter | undefined;
  afterEach(() => running?.close());

  async function connect(directory?: string): Promise<Board> {
    await running?.close();
    running = new Interpreter({ directory });
    return openBoard(openMemory(running, "pipes"), { clock: systemClock });
  }

  test("it is reached in the middle of a line, and that line does not run", async () => {
    running = new Interpreter();
    running.type("var left = (1,");
    await running.quiet();
    const board = await openBoard(openMemory(running, "pipes"), { clock: systemClock });
    expect(board.identity).toMatchObject({ firmware: false, version: { major: 2 } });
    expect(await board.repl.evaluate("typeof left")).toBe("undefined");
    expect(board.repl.warnings).toEqual([]);
  });

  test("expressions answer, exceptions come in its own words", async () => {
    const board = await connect();
    expect(await board.repl.evaluate('["\\xff\\0",1/3<1,null]')).toEqual(["\xff\0", true, null]);
    await expect(board.repl.evaluate("nothing.here")).rejects.toThrow('"nothing" is not defined');
    await expect(board.repl.evaluate("1+*2")).rejects.toThrow("SyntaxError");
  });

  test("the self test's known answers are the interpreter's, and what it asks the radio is understood", async () => {
    const { abilities } = await build();
    const board = await connect();
    if (abilities.has("puck build")) expect(await knownAnswers(board.repl, puckjs.crypto)).toEqual({ aes: true, sha256: true });
    await board.repl.evaluate(
      '(function(){global.NRF={setScan:function(f){if(f){f({rssi:-50,id:"a"});f({rssi:-40,id:"b"});f({rssi:-60,id:"a"})}}};return 1})()',
    );
    expect(await listenAround(board.repl)).toEqual({ packets: 3, devices: 2, strongest: -40, seconds: 2 });
    expect(await board.repl.evaluate("typeof TS")).toBe("undefined");
    await board.repl.evaluate('(function(){global.NRF={setScan:function(){throw new Error("busy")}};return 1})()');
    await expect(listenAround(board.repl)).rejects.toMatchObject({ code: "radio_failed" });
  });

  test("a file goes there and back in packets, whatever bytes are in it", async (context) => {
    // a stock build acts on control bytes wherever they stand, and loses some in a burst
    if (!(await build()).abilities.has("puck build")) return context.skip();
    const board = await connect();
    const content = Uint8Array.from({ length: 1500 }, (_, i) => (i * 7 + (i >> 8)) & 0xff).filter((byte) => byte !== 3);
    await sendFile(board.repl, "file", content);
    expect(Buffer.from(await receiveFile(board.repl, "file"))).toEqual(Buffer.from(content));
    await expect(receiveFile(board.repl, "nothing")).rejects.toMatchObject({ code: "packet_refused" });
  });

  test("code whose first word is blank does not run, and says so", async () => {
    const board = await connect();
    const code = Buffer.from("print('it runs');global.ran=1;", "latin1");
    code.fill(0xff, 0, 4);
    await sendFile(board.repl, ".bootcde", code);
    running!.text = "";
    await board.repl.send("load()");
    await board.repl.attach();
    expect(await board.repl.evaluate("typeof ran")).toBe("undefined");
    expect(running!.text).toContain("SyntaxError");
    await expect(board.requireFirmware()).rejects.toThrow("cut short");
  });

  test("firmware is flashed, replaced, and runs after the power was gone", async () => {
    const { abilities } = await build();
    if (!abilities.has("mapped storage") || !abilities.has("puck build")) return;
    const directory = temporaryDirectory();
    const first = await flash(await connect(directory), littleFirmware({ bytes: 2000 }), {});
    expect(first).toMatchObject({ freshLog: true, replaced: null, version: "1.0.0" });
    const second = await flash(await connect(directory), littleFirmware({ version: "1.0.1", bytes: 5000 }), {});
    expect(second).toMatchObject({ freshLog: false, replaced: "1.0.0", version: "1.0.1", logId: first.logId });
    expect(await (await connect(directory)).status()).toMatchObject({ v: "1.0.1", id: first.logId });
  });
});
