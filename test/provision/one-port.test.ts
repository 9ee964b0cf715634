import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { BatchReport } from "../../host-tools/provision/report.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { Fleet } from "../support/fleet.ts";
import { status } from "../support/worn-boards.ts";

// One adapter and a box of boards: "take it off, put the next one on".

const PORT = "/dev/ttyUSB0";
let folder: string;
beforeAll(async () => {
  await firmwareFor("wearable", "puckjs");
  await firmwareFor("scanner", "puckjs");
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-one-port-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function plan(...rows: string[]): string {
  const file = join(folder, "plan.csv");
  writeFileSync(file, ["name,port,board,role,settings", ...rows].join("\n"));
  return file;
}

/** Somebody at the table: whenever a line fits, the board is taken off, and some seconds later the next of `boards` is put on. `undefined`: nothing more comes. */
function handOver(fleet: Fleet, boards: (VirtualBoard | undefined)[], when: RegExp): void {
  fleet.onSaid = (line) => {
    if (!when.test(line)) return;
    const next = boards.shift();
    fleet.clock.after(4, () => fleet.put(PORT, undefined));
    if (next) fleet.clock.after(25, () => fleet.put(PORT, next));
  };
}

test("boards come to one port one after the other, in the order of the plan; one that is done already is told so and left alone", async () => {
  const fleet = new Fleet();
  const [a, b, c] = [fleet.board(), fleet.board(), fleet.board()];
  fleet.put(PORT, a);
  handOver(fleet, [b, a, c], /: done$|done already/);
  const file = plan(`one,${PORT},puckjs,wearable,`, `two,${PORT},puckjs,scanner,cycleTime=120`, `three,${PORT},puckjs,wearable,`);
  const { out, err, error } = await fleet.provision("--batch", file, "--json");
  expect(error).toBeUndefined();
  const { boards } = JSON.parse(out) as BatchReport;
  expect(boards.map(({ name, chip, state }) => [name, chip, state])).toEqual([
    ["one", a.serialNumber, "done"],
    ["two", b.serialNumber, "done"],
    ["three", c.serialNumber, "done"],
  ]);
  expect([a, b, c].map((board) => status(board).r)).toEqual(["wearable", "scanner", "wearable"]);
  expect(status(b).c[0]).toBe(120);
  const said = err.join("\n");
  expect(said).toContain(`${PORT}: take the board off and put the next one on: two (Puck.js), three (Puck.js)`);
  expect(said).toContain(`${PORT}: this is one, done already`);
  expect(err.filter((line) => /: done$/.test(line))).toHaveLength(3);
});

test("the same board left on the port is waited out, and the rest of the plan stays to be done", async () => {
  const fleet = new Fleet();
  fleet.put(PORT, fleet.board());
  const file = plan(`one,${PORT},puckjs,wearable,`, `two,${PORT},puckjs,wearable,`);
  const { out, err, error } = await fleet.provision("--batch", file, "--wait", "30");
  expect(error?.code).toBe("not_all_done");
  expect(err.join("\n")).toContain("the same board was still there after 30 s");
  expect(out).toContain("no board came for two");
});

test("a board of another type is sent back, and the right one is taken", async () => {
  const fleet = new Fleet();
  const pixl = fleet.board("pixljs");
  const puck = fleet.board();
  fleet.put(PORT, pixl);
  handOver(fleet, [puck, undefined], /this is a Pixl\.js|: done$/);
  const file = plan(`one,${PORT},puckjs,wearable,`, `two,${PORT},puckjs,wearable,`);
  const { err } = await fleet.provision("--batch", file, "--wait", "60");
  expect(err.join("\n")).toContain(`this is a Pixl.js, and the plan has one (Puck.js), two (Puck.js) for this port`);
  expect(pixl.flash.bytesWritten).toBe(0);
  expect(status(puck)).toMatchObject({ r: "wearable" });
});

test("a board that is unplugged in the middle keeps its name: another takes the next one, and it goes on when it comes back", async () => {
  const fleet = new Fleet();
  const [a, b] = [fleet.board(), fleet.board()];
  fleet.put(PORT, a);
  const file = plan(`one,${PORT},puckjs,wearable,`, `two,${PORT},puckjs,wearable,`);
  let cut = false;
  fleet.onOpen = (_port, link) => {
    const { write } = link;
    let writes = 0;
    link.write = (bytes) => {
      // a's battery falls out
      if (!cut && ++writes === 20) {
        cut = true;
        a.powerOff();
        fleet.put(PORT, undefined);
      }
      return write(bytes);
    };
  };
  fleet.onSaid = (line) => {
    if (/one: .* failed/.test(line)) fleet.clock.after(10, () => fleet.put(PORT, b));
    if (/two: done/.test(line)) {
      fleet.clock.after(3, () => fleet.put(PORT, undefined));
      fleet.clock.after(30, () => {
        a.powerOn();
        fleet.put(PORT, a);
      });
    }
  };
  const first = await fleet.provision("--batch", file);
  expect(first.err.join("\n")).toMatch(/one: \w+ failed/);
  expect(status(b)).toMatchObject({ r: "wearable" });
  expect(first.error?.code).toBe("not_all_done");
  fleet.clock.advanceTo(fleet.clock.now + 60);
  fleet.onSaid = () => {};
  const { out, error } = await fleet.provision("--batch", file, "--json");
  expect(error).toBeUndefined();
  expect((JSON.parse(out) as BatchReport).boards.map(({ name, chip }) => [name, chip])).toEqual([
    ["one", a.serialNumber],
    ["two", b.serialNumber],
  ]);
});

test("a board that is broken gives its name to another by --release alone", async () => {
  const fleet = new Fleet();
  const [a, b] = [fleet.board(), fleet.board()];
  fleet.put(PORT, a);
  const file = plan(`one,${PORT},puckjs,wearable,`);
  fleet.onOpen = (_port, link) => {
    const { write } = link;
    let writes = 0;
    link.write = (bytes) => {
      if (++writes === 12) link.cut();
      return write(bytes);
    };
  };
  expect((await fleet.provision("--batch", file, "--wait", "10")).error?.code).toBe("not_all_done");
  fleet.onOpen = () => {};
  fleet.put(PORT, b);
  const refused = await fleet.provision("--batch", file, "--wait", "10");
  expect(refused.err.join("\n")).toContain("--release one");
  expect(b.flash.bytesWritten).toBe(0);
  expect((await fleet.provision("--batch", file, "--release", "two")).error?.message).toContain("no board was begun under this name");
  const { error, out } = await fleet.provision("--batch", file, "--release", "one", "--json");
  expect(error).toBeUndefined();
  expect((JSON.parse(out) as BatchReport).boards[0].chip).toBe(b.serialNumber);
});

test("rows for any port take whatever fits, at all ports", async () => {
  const fleet = new Fleet();
  fleet.put("/dev/ttyACM0", fleet.board("puckjs"));
  fleet.put("/dev/ttyACM1", fleet.board("puckjs"));
  const file = plan("one,*,puckjs,wearable,", "two,,puckjs,scanner,");
  const { out, error } = await fleet.provision("--batch", file, "--json");
  expect(error).toBeUndefined();
  const ports = (JSON.parse(out) as BatchReport).boards.map(({ port }) => port);
  expect(ports.sort()).toEqual(["/dev/ttyACM0", "/dev/ttyACM1"]);
  const none = new Fleet();
  expect((await none.provision("--batch", file)).error?.message).toContain("no serial port is there");
});

test("a changed plan is carried out on the board that has the name, and only what differs is done", async () => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put(PORT, board);
  const file = plan(`one,${PORT},puckjs,wearable,cycleTime=60`);
  await fleet.provision("--batch", file);
  const { id } = status(board);
  const bytes = board.flash.bytesWritten;
  plan(`one,${PORT},puckjs,wearable,cycleTime=90`);
  const { error } = await fleet.provision("--batch", file);
  expect(error).toBeUndefined();
  expect(status(board)).toMatchObject({ id, c: expect.arrayContaining([90]) });
  // settings and clock are records of the log; no code was written
  expect(board.flash.bytesWritten - bytes).toBeLessThan(1000);
});

test("--dry-run says what would be done and touches neither board nor folder", async () => {
  const fleet = new Fleet();
  fleet.put(PORT, fleet.board());
  const file = plan(`one,${PORT},puckjs,wearable,cycleTime=60`);
  const { out, error } = await fleet.provision("--batch", file, "--dry-run");
  expect(error).toBeUndefined();
  for (const words of ["one", PORT, "Puck.js as wearable", "cycleTime=60", "to be done"]) expect(out).toContain(words);
  expect(fleet.openings).toBe(0);
  expect(() => readFileSync(join(folder, "plan/state.jsonl"))).toThrow("ENOENT");
});
