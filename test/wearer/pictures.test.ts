import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import type { Firmware } from "../../host-tools/generator/bundle.ts";
import { screenImage } from "../../host-tools/label/screen-image.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { LABEL_FILE, PAGE_WORDS } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { confirm } from "../support/confirm.ts";
import { crowd } from "../support/crowd.ts";
import { type Shine, watchLights } from "../support/lights.ts";
import { lightsPicture, screenPicture, watchPicture } from "../support/pictures.ts";
import { install, LOG_ID, radioOf, recordsIn, setClock, WornWorld, writeRecords } from "../support/worn-boards.ts";

// The pictures of docs/wearer.md: virtual boards are brought into each state, and what their lights and screens show then is drawn. With PICTURES_RECORD=1 the files
// are written, without it they must be what they would be.

const IMAGES = new URL("../../docs/images/", import.meta.url);
/** Version and build of the pictures, so that they stay as they are when the firmware changes. */
const VERSION = "0.1.0-1a2b3c4d";

/** Brings a board of a world into a state of the wearer's. */
interface Scene {
  state: string;
  /** False: no log is made. */
  log?: boolean;
  clockSet?: boolean;
  /** Pages of the ring, when not as many as there is room for. */
  ringPages?: number;
  prepare?(world: WornWorld, board: VirtualBoard): void;
  /** Default: a short press. */
  long?: boolean;
}

/** The battery of each board when all is well, and when it is low: under the receiver and at rest. */
const VOLTS: { [id: string]: { well: number; scanning: number; atRest: number } } = { bangle2: { well: 3.92, scanning: 3.55, atRest: 3.56 } };
const COIN_CELL = { well: 2.98, scanning: 2.1, atRest: 2.61 };

/** A press by the wearer's measure, ms. On a watch the screen changes while a long one is still held. */
const pressOf = (scene: Scene, id: string) => (scene.long ? (id === "bangle2" ? 1000 : 2500) : 150);

const SCENES: Scene[] = [
  { state: "well" },
  { state: "confirmed", prepare: (_, board) => confirm(board, 720) },
  { state: "clock-not-set", clockSet: false },
  { state: "nothing-sent", prepare: (world, board) => world.restart(board) },
  {
    state: "battery-low",
    prepare: (world, board) => {
      const { scanning, atRest } = VOLTS[board.facts.id] ?? COIN_CELL;
      board.supply = () => (radioOf(board).receiving ? scanning : atRest);
      world.pass(600);
    },
  },
  {
    state: "log-nearly-full",
    ringPages: 2,
    prepare: (world, board) => {
      writeRecords(board, recordsIn(2 * PAGE_WORDS));
      world.pass(60);
    },
  },
  { state: "no-log", log: false },
  { state: "console", long: true },
];

function fixed(firmware: Firmware): Firmware {
  return { ...firmware, code: firmware.code.replaceAll(firmware.manifest.version, VERSION) };
}

/** A board some time after a quarter past eight, in the state of the scene. */
async function reach(scene: Scene, id: string): Promise<{ world: WornWorld; board: VirtualBoard }> {
  const world = new WornWorld(400);
  const board = world.addBoard(findBoard(id)!, { x: 0, y: 0 }, { batteryVolts: (VOLTS[id] ?? COIN_CELL).well });
  const firmware = fixed(await firmwareFor("wearable", id));
  if (scene.log === false) board.storage.write(".bootcde", Buffer.from(firmware.code, "latin1"));
  else install(board, firmware, scene.ringPages);
  if (findBoard(id)!.screen) board.storage.write(LABEL_FILE, screenImage(LOG_ID.toString("hex")));
  board.powerOn();
  world.pass(30);
  if (scene.clockSet !== false && scene.log !== false) setClock(board, world.clock.now);
  const people = crowd(world, 3, 300);
  world.pass(3600);
  people.stop();
  world.pass(60);
  scene.prepare?.(world, board);
  return { world, board };
}

/** Compares with the file, pixel by pixel, or writes it. */
function check(name: string, picture: PNG): void {
  const file = new URL(`${name}.png`, IMAGES);
  if (process.env.PICTURES_RECORD) writeFileSync(file, PNG.sync.write(picture, { colorType: 2 }));
  expect(existsSync(file), `docs/images/${name}.png is missing: PICTURES_RECORD=1 makes it`).toBe(true);
  const kept = PNG.sync.read(readFileSync(file));
  expect([kept.width, kept.height], name).toEqual([picture.width, picture.height]);
  expect(kept.data.equals(picture.data), `docs/images/${name}.png is not what boards show now: look at it, then PICTURES_RECORD=1`).toBe(true);
}

const SECONDS = 5;
/** The first of them makes three bundles. */
const PATIENCE = 120_000;
const made: string[] = [];

describe("the pictures of docs/wearer.md are what virtual boards show", () => {
  test.each(SCENES)(
    "lights: $state",
    async (scene) => {
      const rows: { title: string; shines: Shine[]; coloured: boolean }[] = [];
      for (const [id, title] of [
        ["puckjs", "Puck.js"],
        ["mdbt42q", "one light"],
      ]) {
        const { world, board } = await reach(scene, id!);
        const pressMs = pressOf(scene, id!);
        board.pressButton(pressMs);
        world.pass(pressMs / 1000);
        rows.push({ title: title!, shines: watchLights(world, board, SECONDS), coloured: id === "puckjs" });
      }
      made.push(`lights-${scene.state}`);
      check(`lights-${scene.state}`, lightsPicture(rows, SECONDS));
    },
    PATIENCE,
  );

  describe.each([
    ["screen", "pixljs"],
    ["watch", "bangle2"],
  ])("%s", (kind, id) => {
    test.each([...SCENES, { state: "label", presses: 2 }])(
      "$state",
      async (scene: Scene & { presses?: number }) => {
        const { world, board } = await reach(scene, id);
        for (let i = 0; i < (scene.presses ?? 1); i++) {
          board.pressButton(pressOf(scene, id));
          world.pass(4);
        }
        made.push(`${kind}-${scene.state}`);
        const { shown, width, height } = board.screen!;
        check(`${kind}-${scene.state}`, kind === "watch" ? watchPicture(shown!, width, height) : screenPicture(shown!, width, height));
      },
      PATIENCE,
    );
  });

  test("each is in the page, and there are no others", () => {
    const page = readFileSync(new URL("../wearer.md", IMAGES), "utf8");
    const linked = [...page.matchAll(/\(images\/([\w-]+)\.png\)/g)].map(([, name]) => name);
    expect([...linked].sort()).toEqual([...made].sort());
    expect(readdirSync(IMAGES).sort()).toEqual(made.map((name) => `${name}.png`).sort());
  });
});
