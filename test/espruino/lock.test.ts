import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setLock } from "../../host-tools/device/lock.ts";
import type { Firmware } from "../../host-tools/generator/bundle.ts";
import { KEY, OTHER_KEY } from "../support/locked-board.ts";
import { type Build, build, NO_INTERPRETER } from "./abilities.ts";
import { flashWithRadio, linkInterpreter, reach, wearable } from "./firmware-run.ts";
import { Interpreter, startInterpreter, temporaryDirectory } from "./interpreter.ts";

const LOG_PAGES = 4;
const START = { ESPR_TIME: "1700000000" };

/** The wire of the Linux build is a USB port, and its console is there. */
const onUsb = (code: string) => code.replaceAll("Serial1", "USB");

describe.skipIf(NO_INTERPRETER)("the lock on the real interpreter", () => {
  let made: Build;
  let interpreter: Interpreter;
  const directory = temporaryDirectory();
  const able = () => made.abilities.has("mapped storage") && made.abilities.has("aes");
  const code = async (key?: Uint8Array) =>
    reach(linkInterpreter(interpreter), key).then(
      async (board) => {
        const { lk } = await board.status();
        await board.endSession();
        return `open ${lk}`;
      },
      (error: { code: string }) => error.code,
    );
  const restart = async () => {
    await interpreter.kill();
    interpreter = new Interpreter({ directory, environment: START });
  };

  beforeAll(async () => {
    made = await build();
    interpreter = await startInterpreter({ directory, environment: START });
    if (!able()) return;
    const firmware: Firmware = await wearable(["lock"]);
    const bundle = { ...firmware, code: onUsb(firmware.code) };
    await flashWithRadio(linkInterpreter(interpreter), bundle, LOG_PAGES, Buffer.from(onUsb(firmware.manifest.recovery!.code), "latin1"));
  });
  afterAll(async () => {
    await interpreter.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  test("without a key it starts with an open console, as it was", async (context) => {
    if (!able()) return context.skip();
    expect(await code()).toBe("open 0");
    await restart();
    expect(await code()).toBe("open 0");
  });

  test("with a key it opens to that key, and to nothing else that comes in", async (context) => {
    if (!able()) return context.skip();
    const board = await reach(linkInterpreter(interpreter));
    await setLock(board, KEY);
    await board.endSession();
    // the end of the session's last line
    await interpreter.quiet();
    interpreter.text = "";
    for (const line of ["print(1)\n", "\x10T.s()\n", "\x03\x03", "\x10\x01\x20\x04T.s()\n", "\x05", `${"0".repeat(32)}\n`, "\n\n"])
      interpreter.type(line);
    await interpreter.quiet();
    expect(interpreter.text).toBe("");
    expect(await code()).toBe("board_locked");
    expect(await code(KEY)).toBe("open 1");
    expect(await code(OTHER_KEY)).toBe("wrong_key");
    // a second is waited for
    expect(await code(KEY)).toBe("open 1");
  });

  test("it is locked from the first moment of a start, whatever is typed meanwhile", async (context) => {
    if (!able()) return context.skip();
    await restart();
    interpreter.type("\x03\x10T.s()\n");
    expect(await code()).toBe("board_locked");
    expect(await code(KEY)).toBe("open 1");
  });

  test("where the firmware does not begin the log is overwritten before there is a console", async (context) => {
    if (!able()) return context.skip();
    const board = await reach(linkInterpreter(interpreter), KEY);
    await board.repl.evaluate('require("Storage").erase(".bootcde")');
    await restart();
    const bare = await reach(linkInterpreter(interpreter));
    expect(bare.identity.firmware).toBe(false);
    expect(await bare.repl.evaluate('E.sum(new Uint8Array(require("Storage").readArrayBuffer("tl.log")))')).toBeLessThan(8 * 256);
    expect(await bare.repl.evaluate(`require("Storage").read("tl.log").indexOf(atob("${KEY.toString("base64")}"))`)).toBe(-1);
  });
});
