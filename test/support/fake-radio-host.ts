import type { BoardFacts } from "../../boards/board-facts.ts";
import { puckjs } from "../../boards/puckjs.ts";
import type { Air, Report } from "../../host-tools/simulator/air.ts";
import { Radio } from "../../host-tools/simulator/radio.ts";
import type { RadioHost } from "../../host-tools/simulator/radio-host.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";

type Nrf = Record<string, (...args: unknown[]) => unknown>;

/** A radio on a board that is nothing but a main loop: it runs what is queued at once, and remembers what the radio asked for. */
export function fakeBoard(options: { clock?: VirtualClock; air?: Air; facts?: BoardFacts; address?: string } = {}) {
  const clock = options.clock ?? new VirtualClock(1_600_000_000);
  const printed: string[] = [];
  const restarts: number[] = [];
  const queued: number[] = [];
  const uart: number[] = [];
  let blocked = false;
  const held: (() => void)[] = [];
  const host: RadioHost = {
    clock,
    air: options.air,
    facts: options.facts ?? puckjs,
    factoryAddress: options.address ?? "c0:11:22:33:a1:b2",
    random: () => 0.5,
    call(fn, args, queueBytes) {
      queued.push(queueBytes);
      const run = () => void (fn as (...args: unknown[]) => unknown)(...args);
      if (blocked) held.push(run);
      else clock.after(0, run);
    },
    print: (text) => void printed.push(text),
    throwError(message, type = "Error"): never {
      throw Object.assign(new Error(message), { type });
    },
    makeArrayBuffer: (bytes) => new Uint8Array(bytes).buffer,
    makeObject: (plain) => ({ ...plain }),
    makeArray: (items) => [...items],
    onStackRestart: (ms) => void restarts.push(ms),
    batteryVolts: () => 2.9,
    uartReceived: (bytes) => void uart.push(...bytes),
  };
  const radio = new Radio(host);
  return {
    clock,
    radio,
    nrf: radio.nrf as Nrf,
    printed,
    restarts,
    queued,
    uart,
    /** Keeps the main loop busy while `work` runs. */
    whileBusy(work: () => void) {
      blocked = true;
      work();
      blocked = false;
      for (const run of held.splice(0)) run();
    },
    run: (seconds: number) => clock.advanceTo(clock.now + seconds),
  };
}

/** Listens to everything in an air from one place, all the time. */
export function listenIn(air: Air, where = { x: 0.5, y: 0 }, active = false) {
  const reports: (Report & { time: number })[] = [];
  const ear = air.station(`ear ${where.x} ${where.y}`);
  air.place(ear, where);
  ear.scan({ windowMs: 1000, intervalMs: 1000, active, heard: (report) => void reports.push({ ...report, time: air.clock.now }) });
  return reports;
}

export function hex(bytes: ArrayLike<number> | ArrayBuffer): string {
  return Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : Uint8Array.from(bytes)).toString("hex");
}
