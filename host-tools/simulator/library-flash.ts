import type { BoardCore } from "./board-core.ts";
import { storableBytes } from "./byte-arguments.ts";
import { FLASH_PAGE, flashProtected, PROGRAM_BYTES } from "./flash.ts";
import { kindOf } from "./native-ways.ts";

/** Words that are touched in part are read, changed and written whole. Refused addresses are passed over in silence, as on the board. */
export function writeFlash(core: BoardCore, address: number, bytes: Uint8Array): void {
  if (bytes.length === 0 || (flashProtected(core.facts, address) && !core.flags.get("unsafeFlash"))) return;
  const { programSeconds } = core.flashTiming;
  if (programSeconds) {
    // a chip on SPI takes any bytes, in operations that don't go over a border
    const operations = Math.floor((address + bytes.length - 1) / PROGRAM_BYTES) - Math.floor(address / PROGRAM_BYTES) + 1;
    core.spend(operations * programSeconds);
    core.flash.write(address, bytes);
    return;
  }
  const start = address & ~3;
  const end = (address + bytes.length + 3) & ~3;
  const words = core.flash.read(start, end - start);
  words.set(bytes, address - start);
  core.spend(((end - start) / 4) * core.flashTiming.wordSeconds);
  core.flash.write(start, words);
}

/** All of Storage. On a chip that is nothing else it is one command. */
export function eraseAllFlash(core: BoardCore): void {
  const { address, pages } = core.facts.storage;
  const { eraseAllSeconds, eraseSeconds } = core.flashTiming;
  for (let page = 0; page < pages; page++) {
    core.spend(eraseAllSeconds ? eraseAllSeconds / pages : eraseSeconds);
    core.watchdog.kick();
    core.flash.erase(address + page * FLASH_PAGE);
  }
}

export function eraseFlash(core: BoardCore, address: number): void {
  const page = address - (address % FLASH_PAGE);
  if (flashProtected(core.facts, page) && !core.flags.get("unsafeFlash")) return;
  core.spend(core.flashTiming.eraseSeconds);
  core.watchdog.kick();
  core.flash.erase(page);
}

/** `require("Flash")`: any address but the SoftDevice's and the bootloader's. */
export function flashLibrary(core: BoardCore): Record<string, unknown> {
  const { realm, flash } = core;
  return realm.library({
    getPage: (address: never) => {
      const at = Number(address) >>> 0;
      return at > flash.base + flash.size ? undefined : realm.object({ addr: at - (at % FLASH_PAGE), length: FLASH_PAGE });
    },
    // The interpreter is taken to fill its part of the flash up to Storage, as the official builds nearly do.
    getFree: () => realm.array([]),
    erasePage: (address: never) => {
      if (typeof address !== "number" || !Number.isInteger(address)) throw realm.error(`Address should be an integer, got ${kindOf(address)}`);
      eraseFlash(core, address);
    },
    read: (length: never, address: never) => (Number(length) > 0 ? realm.uint8Array(flash.read(Number(address) >>> 0, Number(length))) : undefined),
    write: (data: never, address: never) => {
      if (data === undefined) throw realm.error("Data is not defined");
      writeFlash(core, Number(address) >>> 0, storableBytes(data) ?? new Uint8Array(0));
    },
  });
}
