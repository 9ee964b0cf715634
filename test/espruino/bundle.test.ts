import { rmSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Firmware } from "../../host-tools/generator/bundle.ts";
import { decodeBlock, type LogRecord } from "../../host-tools/store/log-decoder.ts";
import type { DeviceStatus } from "../../protocols/device-link.ts";
import { type Build, build, NO_INTERPRETER } from "./abilities.ts";
import { flashWithRadio, type Linked, linkInterpreter, linkVirtual, pullBlocks, reach, wearable } from "./firmware-run.ts";
import { Interpreter, startInterpreter, temporaryDirectory } from "./interpreter.ts";
import type { Machine } from "./machine.ts";
import { startVirtual } from "./virtual-machine.ts";

/** What one machine did with the firmware: every call to its radio, and its log. */
interface Story {
  calls: string[];
  records: LogRecord[];
  keys: string;
  status: DeviceStatus;
  /** After the battery was changed. */
  later: { calls: string[]; records: LogRecord[]; keys: string };
}

const MINUTE = 60_000;
/** 2020-09-13, 19:23 UTC: midnight, and with it a new key, comes after 4.6 hours. */
const UNIX = 1600025000;
const LOG_PAGES = 4;

/** A board that can be switched off and on. */
interface Site {
  machine: Machine;
  linked: Linked;
  changeBattery(): Promise<void>;
}

async function play(site: Site, firmware: Firmware): Promise<Story> {
  await flashWithRadio(site.linked, firmware, LOG_PAGES);
  // so that both begin at the same moment: flashing takes its time
  await site.changeBattery();
  tell(site, "echo(0)");
  // always between two scans, so that it doesn't matter how long a machine takes over it
  await site.machine.advance(11 * MINUTE);
  tell(site, `T.t(${UNIX},0,12)`);
  await site.machine.advance(6.5 * 60 * MINUTE);
  const first = await harvest(site);
  await site.changeBattery();
  tell(site, "echo(0)");
  await site.machine.advance(21 * MINUTE);
  tell(site, `T.t(${UNIX + 7 * 3600},0,12)`);
  await site.machine.advance(60 * MINUTE);
  const { status: _, ...later } = await harvest(site);
  return { ...first, later };
}

function tell({ machine }: Site, line: string): void {
  machine.type(`\x10${line}\n`);
}

async function harvest({ machine, linked }: Site): Promise<Omit<Story, "later">> {
  await machine.quiet();
  const calls = [...machine.text.matchAll(/~(\[.*?\])\r\n/g)].map((match) => match[1]);
  machine.text = "";
  const board = await reach(linked);
  const blocks = await pullBlocks(linked, board);
  const keys = Buffer.from(await linked.wait(board.keys(false))).toString("hex");
  return { calls, records: blocks.flatMap((block) => decodeBlock(block)), keys, status: await linked.wait(board.status()) };
}

async function onInterpreter(firmware: Firmware): Promise<Story> {
  const directory = temporaryDirectory();
  // flashing waits for things that take time, so its clock runs; it begins where a board's does
  let interpreter = await startInterpreter({ directory, environment: { ESPR_TIME: "0" } });
  const site: Site = {
    machine: interpreter,
    linked: linkInterpreter(interpreter),
    async changeBattery() {
      await interpreter.kill();
      interpreter = new Interpreter({ directory, virtualTime: 0 });
      site.machine = interpreter;
      site.linked = linkInterpreter(interpreter);
    },
  };
  try {
    return await play(site, firmware);
  } finally {
    await interpreter.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function onVirtualBoard(firmware: Firmware, version: string): Promise<Story> {
  const machine = await startVirtual({ firmware: version });
  return play(
    {
      machine,
      linked: linkVirtual(machine),
      async changeBattery() {
        machine.board.powerOff();
        machine.text = "";
        machine.powerOn();
      },
    },
    firmware,
  );
}

/** A record on a line. A clock is set within the same second on both, not within the same millisecond. */
function lines(records: LogRecord[]): string[] {
  return records.map((record) => {
    const { kind, seq, era, baseTick: _, ...rest } = record;
    const told = Object.entries(rest).map(([name, value]) => {
      if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
      return `${name} ${name === "unixMs" ? Math.round(value / 1000) * 1000 : value}`;
    });
    return `${era}.${seq} ${kind} ${told.join(" ")}`;
  });
}

describe.skipIf(NO_INTERPRETER)("the wearable bundle on the real interpreter and on a virtual board", () => {
  let interpreter: Build;
  let firmware: Firmware;
  let real: Story;
  let virtual: Story;
  const able = () => interpreter.abilities.has("virtual time") && interpreter.abilities.has("mapped storage") && interpreter.abilities.has("aes");

  beforeAll(async () => {
    interpreter = await build();
    if (!able()) return;
    firmware = await wearable();
    real = await onInterpreter(firmware);
    virtual = await onVirtualBoard(firmware, interpreter.version);
  });

  test("more than six hours with ten neighbours give the same log, record for record", (context) => {
    if (!able()) return context.skip();
    expect(lines(virtual.records)).toEqual(lines(real.records));
    const kinds = new Map<string, number>();
    for (const { kind } of real.records) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    expect(kinds.get("encounter")).toBeGreaterThan(150);
    expect(kinds.get("damaged") ?? 0).toBe(0);
  });
  test("the radio is told the same, call for call", (context) => {
    if (!able()) return context.skip();
    expect(virtual.calls).toEqual(real.calls);
    expect(real.calls.filter((call) => call.startsWith('["setAddress"')).length).toBeGreaterThan(20);
  });
  test("the keys are the same, and there is one for each day", (context) => {
    if (!able()) return context.skip();
    expect(virtual.keys).toBe(real.keys);
    expect(real.keys.length).toBe(2 * 2 * 26);
  });
  test("the status is the same", (context) => {
    if (!able()) return context.skip();
    const comparable = ({ t: _t, u: _u, ...rest }: DeviceStatus) => rest;
    expect(comparable(virtual.status)).toEqual(comparable(real.status));
  });
  test("after a change of the battery both go on in the same way, in a new era", (context) => {
    if (!able()) return context.skip();
    expect(virtual.later.calls).toEqual(real.later.calls);
    expect(lines(virtual.later.records)).toEqual(lines(real.later.records));
    expect(virtual.later.keys).toBe(real.later.keys);
    expect(real.later.records.length).toBeGreaterThan(real.records.length);
    expect(new Set(real.later.records.map((record) => record.era)).size).toBeGreaterThan(1);
  });
});
