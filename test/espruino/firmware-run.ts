import { readFileSync } from "node:fs";
import { puckjs } from "../../boards/puckjs.ts";
import type { Board, RecordBlock } from "../../host-tools/device/board.ts";
import { flash } from "../../host-tools/device/flash.ts";
import { type HostClock, hostClockOn, sleep, systemClock } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { type PullStore, pullLog } from "../../host-tools/device/pull.ts";
import type { Transport } from "../../host-tools/device/transport.ts";
import { buildFirmware, type Firmware } from "../../host-tools/generator/bundle.ts";
import { LOG_VERSION } from "../../protocols/log-format.ts";
import type { Interpreter } from "./interpreter.ts";
import { literal } from "./machine.ts";
import type { VirtualMachine } from "./virtual-machine.ts";

/** The wearable for a Puck.js, as `tracelet build` makes it. */
export function wearable(extra: string[] = []): Promise<Firmware> {
  return buildFirmware({ board: puckjs, role: "wearable", protocols: ["gaen"], with: extra });
}

export const LOG_ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const SHIM = readFileSync(new URL("./radio-shim.js", import.meta.url), "latin1");
/** Characters of a file that go in one line, and what the line takes. */
const PIECE = 300;
const LINE_MS = 60;
/** What `flash` sends when everything is written. */
const LOAD = Buffer.from("\x10load()\n");

/** A machine with a link of host-tools/device to it, and how to wait for what goes over the link. */
export interface Linked {
  transport: Transport;
  clock: HostClock;
  wait<T>(work: Promise<T>): Promise<T>;
}

export function linkInterpreter(interpreter: Interpreter): Linked {
  return { transport: openMemory(interpreter, "interpreter"), clock: systemClock, wait: (work) => work };
}

export function linkVirtual(machine: VirtualMachine): Linked {
  return { transport: openMemory(machine.board), clock: hostClockOn(machine.clock), wait: (work) => machine.clock.drive(work) };
}

export function reach({ transport, clock, wait }: Linked, key?: Uint8Array): Promise<Board> {
  return wait(openBoard(transport, { clock, key }));
}

/** Lines that write `text` to a file in Storage. */
export function writeFile(name: string, text: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += PIECE)
    lines.push(`require("Storage").write(${literal(name)},${literal(text.slice(at, at + PIECE))},${at},${text.length})`);
  return lines;
}

/** Flashes through the console as a user does; before the firmware starts, the chip gets the radio that it lacks. */
export async function flashWithRadio(linked: Linked, firmware: Firmware, logPages: number, recovery?: Uint8Array): Promise<void> {
  const { transport, clock } = linked;
  const withRadio: Transport = Object.create(transport);
  withRadio.write = async (bytes) => {
    if (Buffer.from(bytes).equals(LOAD)) {
      for (const line of writeFile(".boot0", SHIM)) {
        await transport.write(Buffer.from(`\x10${line}\n`, "latin1"));
        await sleep(clock, LINE_MS);
      }
    }
    await transport.write(bytes);
  };
  const { manifest } = firmware;
  const bundle = {
    code: Buffer.from(firmware.code, "latin1"),
    board: puckjs.id,
    role: "wearable",
    version: manifest.version,
    logPages,
    logVersion: LOG_VERSION,
    recovery,
  };
  const board = await reach({ ...linked, transport: withRadio });
  await linked.wait(flash(board, bundle, { logId: LOG_ID }));
}

/** Everything that is in the log now, by `tracelet pull`'s own code. */
export async function pullBlocks(linked: Linked, board: Board): Promise<RecordBlock[]> {
  const blocks: RecordBlock[] = [];
  const store: PullStore = {
    positions: async () => new Map(),
    boards: async () => [],
    async commitPull(_, more) {
      blocks.push(...more);
      const last = more[more.length - 1];
      return { added: more.length, encounters: 0, upTo: last.nextSeq, damaged: [] };
    },
  };
  await linked.wait(pullLog(board, store));
  return blocks;
}
