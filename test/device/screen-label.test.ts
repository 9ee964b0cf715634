import { describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { toBundle } from "../../host-tools/cli/flash.ts";
import { type FlashOptions, flash } from "../../host-tools/device/flash.ts";
import { labelText } from "../../host-tools/label/label.ts";
import { screenImage } from "../../host-tools/label/screen-image.ts";
import { LABEL_FILE } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { littleFirmware } from "../support/little-firmware.ts";
import { readCode } from "../support/read-code.ts";
import { overLink, virtualBoard } from "../support/virtual-link.ts";
import { WornWorld } from "../support/worn-boards.ts";

const ID = "0123456789abcdef";
const little = (version: string, bytes = 1200) => littleFirmware({ version, board: "pixljs", logPages: 4, bytes });

function storedLabel(board: ReturnType<typeof virtualBoard>["board"]): string | undefined {
  const image = board.storage.read(LABEL_FILE);
  if (!image) return undefined;
  const bits = Array.from({ length: image[0]! * image[1]! }, (_, at) => (image[3 + (at >> 3)]! >> (7 - (at & 7))) & 1);
  return readCode(bits, image[0]!, image[1]!);
}

describe("the QR code for a board's own screen", () => {
  test("says what the label says and fits the screen with its blank border", () => {
    const image = screenImage(ID);
    expect([...image.subarray(0, 3)]).toEqual([21, 21, 1]);
    expect(image.length).toBe(3 + 56);
  });

  const put = (target: ReturnType<typeof virtualBoard>, bundle = little("1.0.0"), options: FlashOptions = {}) =>
    overLink(target.clock, target.board, (link) => flash(link, bundle, { logId: Buffer.from(ID, "hex"), ...options }));

  test("is put behind the code of a board with a screen, and of no other", async () => {
    const target = virtualBoard("pixljs");
    await put(target);
    expect(target.board.storage.files().map(({ name }) => name.replaceAll("\0", ""))).toEqual(["tl.log", ".bootcde", LABEL_FILE]);
    expect(storedLabel(target.board)).toBe(labelText(ID));
    const puck = virtualBoard("puckjs");
    await put(puck, littleFirmware());
    expect(puck.board.storage.read(LABEL_FILE)).toBeUndefined();
  });

  test("is there once more after new code was flashed over it, with the id of the log that stayed", async () => {
    const target = virtualBoard("pixljs");
    await put(target);
    const result = await put(target, little("1.1.0", 3000), { logId: Buffer.alloc(8, 7) });
    expect(result).toMatchObject({ version: "1.1.0", freshLog: false });
    expect(storedLabel(target.board)).toBe(labelText(ID));
    expect(target.board.storage.stats()).toMatchObject({ fileCount: 3, trashCount: 0 });
  });

  test("is left out where the code leaves no room, and that is said", async () => {
    const target = virtualBoard("pixljs");
    const said: string[] = [];
    // the last page of Storage is full but for 60 bytes or so
    const result = await put(target, littleFirmware({ board: "pixljs", logPages: 7, bytes: 4096 - 32 - 60 }), { say: (text) => said.push(text) });
    expect(result.version).toBe("1.0.0");
    expect(storedLabel(target.board)).toBeUndefined();
    expect(said.join()).toContain("no room for the QR code");
    expect(target.board.errors).toEqual([]);
  });

  test("can be read off the screen of a Pixl.js with the second press", async () => {
    const { code, manifest } = await firmwareFor("wearable", "pixljs");
    const world = new WornWorld(340);
    const board = world.addBoard(findBoard("pixljs")!, { x: 0, y: 0 });
    board.powerOn();
    await world.talk(board, (link) => flash(link, toBundle(Buffer.from(code, "latin1"), manifest), { logId: Buffer.from(ID, "hex") }));
    world.pass(5);
    for (let i = 0; i < 2; i++) {
      board.pressButton(100);
      world.pass(1);
    }
    expect(readCode(board.screen!.shown!, 128, 64)).toBe(`TL:${ID.slice(0, 8)}`);
  });
});
