import { crc32 } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { synchronise } from "../../host-tools/device/clock-sync.ts";
import { configure } from "../../host-tools/device/config.ts";
import { type Bundle, flash } from "../../host-tools/device/flash.ts";
import { receiveFile } from "../../host-tools/device/packets.ts";
import { pullLog } from "../../host-tools/device/pull.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import type { FlashImage } from "../../host-tools/simulator/flash.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { decodeOwnKeys } from "../../host-tools/store/log-decoder.ts";
import { Store } from "../../host-tools/store/store.ts";
import { writeInt } from "../../protocols/bytes.ts";
import { HEAD_BYTES, LONG_BYTES, PAGE_BYTES, PAGE_HEADER_BYTES, PAGE_MAGIC, PAGE_WORDS, WORD_BYTES } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { encounterSlot, PAGE_RECORDS } from "../support/fake-firmware.ts";
import { overLink, virtualBoard } from "../support/virtual-link.ts";

// The firmware that is shipped, on a virtual Puck.js: what the other files of this folder try on small stand-ins.

const LOG_ID = Buffer.from("feedfacecafe0001", "hex");
let bundle: Bundle;
let pristine: FlashImage;

function powered(flashImage?: FlashImage) {
  return virtualBoard("puckjs", { radio: radioIn(undefined), flash: flashImage?.clone() });
}

beforeAll(async () => {
  const { code, manifest } = await firmwareFor();
  const { board, role, version } = manifest;
  bundle = { code: Buffer.from(code, "latin1"), board, role, version, logPages: manifest.flash.ringPages, logVersion: manifest.log.format };
  const fresh = powered();
  await overLink(fresh.clock, fresh.board, (link) => flash(link, bundle, { fast: true, logId: LOG_ID }));
  fresh.board.powerOff();
  pristine = fresh.board.flash;
});

/** Fills the log of a board that is switched off with encounters, up to the end of page `pages - 1`. Answers how many. */
function fillLog(image: FlashImage, pages: number): number {
  const { address } = findBoard("puckjs")!.storage;
  const pageAt = (page: number) => (page === 0 ? address + 32 + HEAD_BYTES : address + PAGE_BYTES * (1 + (page % bundle.logPages)));
  let written = 0;
  for (let page = 0; page < pages; page++) {
    const at = pageAt(page);
    if (page > 0) {
      const header = new Uint8Array(PAGE_HEADER_BYTES).fill(0xff);
      writeInt(header, 0, 4, PAGE_MAGIC);
      writeInt(header, 4, 4, page);
      writeInt(header, 8, 4, 0);
      writeInt(header, 12, 4, 1);
      writeInt(header, 16, 4, crc32(header.subarray(0, 16)) ^ LOG_ID.readUInt32LE(0));
      image.write(at, header);
    }
    for (let i = 0; i < PAGE_RECORDS; i++) {
      const place = at + PAGE_HEADER_BYTES + i * LONG_BYTES;
      if (!image.isErased(place, LONG_BYTES)) continue;
      image.write(place, encounterSlot(page * PAGE_RECORDS + i));
      written++;
    }
  }
  return written;
}

async function identifiers(store: Store): Promise<string[]> {
  return (await store.encounters()).map((encounter) => Buffer.from(encounter.rpi).toString("hex"));
}

describe("the firmware that is shipped", () => {
  test("is flashed, runs, and tells what it is", async () => {
    const { clock, board } = powered(pristine);
    const status = await overLink(clock, board, (link) => link.status());
    expect(status).toMatchObject({ v: bundle.version, b: "puckjs", r: "wearable", id: "feedfacecafe0001", u: 0, er: [0, 0, 0], cr: "in" });
    expect(board.errors).toEqual([]);
  });

  test("its clock is set to the tenth of a second, and it begins to advertise", async () => {
    const { clock, board } = powered(pristine);
    const result = await overLink(clock, board, (link) => synchronise(link));
    expect(Math.abs(result.after.offsetMs)).toBeLessThan(100);
    expect(result.before.boardMs).toBeUndefined();
    expect((await overLink(clock, board, (link) => link.status())).ad).toBe(1);
  });

  test("settings are changed and outlive a change of battery", async () => {
    const { clock, board } = powered(pristine);
    await overLink(clock, board, (link) => configure(link, [{ name: "txPower", value: -8 }]));
    board.powerOff();
    board.powerOn();
    expect(await overLink(clock, board, (link) => configure(link, []))).toMatchObject({ txPower: -8, scanTime: 2 });
  });

  test("its code reads back as it was sent", async () => {
    const { clock, board } = powered(pristine);
    expect(Buffer.from(await overLink(clock, board, (link) => receiveFile(link.repl, ".bootcde")))).toEqual(bundle.code);
  });

  test("own keys come on demand, and a fresh one begins", async () => {
    const { clock, board } = powered(pristine);
    const keys = await overLink(clock, board, async (link) => {
      await synchronise(link);
      return decodeOwnKeys(await link.keys(true));
    });
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.every((key) => key.rollingPeriod <= 144)).toBe(true);
  });
});

describe("pulling from the firmware that is shipped", () => {
  test("a full log: at least 92 % of what the wire could carry are records", async () => {
    const image = pristine.clone();
    const encounters = fillLog(image, 5);
    const { clock, board } = powered(image);
    const store = Store.open(":memory:", { now: () => Math.floor(clock.now) });
    const pulled = await overLink(clock, board, (link) => pullLog(link, store));
    expect(pulled.encounters).toBe(encounters);
    expect(pulled.bytes / (pulled.seconds * 960)).toBeGreaterThan(0.92);
    // own keys stay where they are
    expect((await store.keys()).length).toBe(0);
  });

  test("cut at any message, pulled again: each encounter exactly once", async () => {
    const image = pristine.clone();
    const encounters = fillLog(image, 2);
    let cuts = 0;
    for (let cutBefore = 1; ; cutBefore++) {
      const { clock, board } = powered(image);
      const store = Store.open(":memory:", { now: () => Math.floor(clock.now) });
      const outcome = await overLink(clock, board, (link) => pullLog(link, store, { batch: 450 }), cutBefore).catch(
        (error: { code: string }) => error,
      );
      if ("code" in outcome) {
        cuts++;
        expect(outcome.code).toBe("disconnected");
        await overLink(clock, board, (link) => pullLog(link, store));
      }
      const heard = await identifiers(store);
      expect(heard.length, `cut before message ${cutBefore}`).toBe(encounters);
      expect(new Set(heard).size).toBe(encounters);
      if (!("code" in outcome)) break;
    }
    expect(cuts).toBeGreaterThan(10);
  });

  test("a page that flash has lost is stepped over and counted, a damaged record as well, and the rest comes", async () => {
    const image = pristine.clone();
    const encounters = fillLog(image, 4);
    const { address } = findBoard("puckjs")!.storage;
    // page 1: its header is damaged
    image.write(address + PAGE_BYTES * 2 + 4, Uint8Array.of(0));
    // page 2: one bit of one record
    const record = address + PAGE_BYTES * 3 + PAGE_HEADER_BYTES + 5 * LONG_BYTES + 7;
    const byte = image.read(record, 1)[0];
    image.write(record, Uint8Array.of(byte & (byte - 1)));
    const { clock, board } = powered(image);
    const store = Store.open(":memory:", { now: () => Math.floor(clock.now) });
    const pulled = await overLink(clock, board, (link) => pullLog(link, store));
    expect(pulled.lost).toBe(PAGE_WORDS * WORD_BYTES);
    expect(pulled.damaged).toBe(1);
    expect(pulled.encounters).toBe(encounters - PAGE_RECORDS - 1);
  });

  test("a new version keeps the log, and the pull goes on", async () => {
    const image = pristine.clone();
    const encounters = fillLog(image, 2);
    const { clock, board } = powered(image);
    const store = Store.open(":memory:", { now: () => Math.floor(clock.now) });
    await overLink(clock, board, (link) => pullLog(link, store));
    const next = {
      ...bundle,
      code: Buffer.from(Buffer.from(bundle.code).toString("latin1").replaceAll(bundle.version, "9.9.9-test"), "latin1"),
      version: "9.9.9-test",
    };
    expect(await overLink(clock, board, (link) => flash(link, next, { fast: true }))).toMatchObject({ replaced: bundle.version, freshLog: false });
    const second = await overLink(clock, board as VirtualBoard, (link) => pullLog(link, store));
    expect(second.encounters).toBe(0);
    expect(second.from).toBeGreaterThan(0);
    expect((await identifiers(store)).length).toBe(encounters);
  });
});
