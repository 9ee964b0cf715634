import { toBundle } from "../../host-tools/cli/flash.ts";
import type { Board } from "../../host-tools/device/board.ts";
import { flash } from "../../host-tools/device/flash.ts";
import { FrameReceiver } from "../../host-tools/device/frames.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { lockAnswer, setLock } from "../../host-tools/device/lock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import type { FlashImage } from "../../host-tools/simulator/flash.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import type { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { firmwareFor } from "./built-firmware.ts";
import { PORT, virtualBoard } from "./virtual-link.ts";

export const KEY = Buffer.from("5ec0de005ec0de015ec0de025ec0de03", "hex");
export const OTHER_KEY = Buffer.from("0badc0de0badc0de0badc0de0badc0de", "hex");
const LOG_ID = Buffer.from("feedfacecafe0002", "hex");

export interface Bench {
  clock: VirtualClock;
  board: VirtualBoard;
}

const images = new Map<string, FlashImage>();

/** A board that was flashed over its console, and locked with KEY unless `lock` is false, just switched on. */
export async function lockedBoard(options: { id?: string; role?: string; lock?: boolean } = {}): Promise<Bench> {
  const { id = "puckjs", role = "wearable", lock = true } = options;
  const name = `${id} ${role} ${lock}`;
  if (!images.has(name)) {
    const { code, manifest } = await firmwareFor(role, id, {}, ["lock"]);
    const bench = virtualBoard(id, { radio: radioIn(undefined) });
    await talk(bench, (link) => flash(link, toBundle(Buffer.from(code, "latin1"), manifest), { fast: true, logId: LOG_ID }));
    if (lock) await talk(bench, (link) => setLock(link, KEY));
    bench.board.powerOff();
    images.set(name, bench.board.flash);
  }
  return start(images.get(name)!.clone(), id);
}

/** A board with this flash, switched on a second ago. */
export function start(flash: FlashImage, id = "puckjs"): Bench {
  const made = virtualBoard(id, { radio: radioIn(undefined), flash });
  made.clock.advanceTo(made.clock.now + 1);
  return made;
}

/** One run of a command, over the wire; what is left open is closed as a command does. */
export function talk<T>({ clock, board }: Bench, work: (link: Board) => Promise<T>, key?: Uint8Array): Promise<T> {
  const transport = openMemory(board, PORT);
  return clock.drive(
    (async () => {
      const link = await openBoard(transport, { clock: hostClockOn(clock), key });
      try {
        return await work(link);
      } finally {
        if (link.repl.unlocked && !link.repl.stays) await link.endSession().catch(() => {});
        await transport.close();
      }
    })(),
  );
}

/** What is written to flash while `work` runs, in order. */
export function recordWrites(flash: FlashImage, work: () => void): { address: number; bytes: Uint8Array }[] {
  const writes: { address: number; bytes: Uint8Array }[] = [];
  const write = flash.write;
  flash.write = (address, bytes) => {
    writes.push({ address, bytes: bytes.slice() });
    write.call(flash, address, bytes);
  };
  work();
  flash.write = write;
  return writes;
}

/** The flash as it would be had the power gone after the first `count` bytes of these writes. */
export function cutAt(before: FlashImage, writes: { address: number; bytes: Uint8Array }[], count: number): FlashImage {
  const flash = before.clone();
  let left = count;
  for (const { address, bytes } of writes) {
    if (left > 0) flash.write(address, bytes.subarray(0, left));
    left -= bytes.length;
  }
  return flash;
}

/** What went wrong. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as { code: string; message: string },
  );
  if (!error) throw new Error("it succeeded");
  return error;
}

/** Raw bytes to a port and what comes back. */
export class RawPort {
  frames: string[] = [];
  all = "";
  private readonly receiver = new FrameReceiver({
    frame: (payload) => void this.frames.push(Buffer.from(payload).toString("latin1")),
    text: () => {},
    damaged: () => {},
  });

  constructor(
    readonly bench: Bench,
    private readonly send: (bytes: Uint8Array) => void,
    listen: (listener: (bytes: Uint8Array) => void) => void,
  ) {
    listen((bytes) => {
      this.all += Buffer.from(bytes).toString("latin1");
      this.receiver.push(bytes);
    });
  }

  static wire(bench: Bench): RawPort {
    return new RawPort(
      bench,
      (bytes) => bench.board.input(bytes),
      (listener) => void bench.board.onOutput(listener),
    );
  }

  /** Answers the frames that came within so many seconds. */
  say(text: string, seconds = 0.5): string[] {
    this.frames = [];
    this.send(Buffer.from(text, "latin1"));
    this.bench.clock.advanceTo(this.bench.clock.now + seconds);
    return this.frames;
  }

  /** Asks for a challenge. */
  challenge(): { nonce: Uint8Array; wait: number } {
    const [payload] = this.say("\n?\n");
    const bytes = Buffer.from(payload ?? "", "latin1");
    if (bytes.length !== 18) throw new Error(`no challenge but ${JSON.stringify([this.frames, this.all.slice(-200), this.bench.board.errors])}`);
    return { nonce: bytes.subarray(0, 16), wait: bytes.readUInt16LE(16) };
  }

  /** Asks and answers with `key`. */
  answer(key: Uint8Array): string[] {
    return this.say(`${lockAnswer(key, this.challenge().nonce)}\n`);
  }
}
