import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { readKeyFile } from "../../host-tools/cli/lock-key.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import type { BatchReport } from "../../host-tools/provision/report.ts";
import type { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { Fleet, type Outcome } from "../support/fleet.ts";

const PORT = "/dev/ttyUSB0";
let folder: string;
beforeAll(async () => {
  await firmwareFor("wearable", "puckjs");
  await firmwareFor("wearable", "puckjs", {}, ["lock"]);
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-locked-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function plan(...rows: string[]): string {
  const file = join(folder, "plan.csv");
  writeFileSync(file, ["name,port,board,role,settings,lock", ...rows].join("\n"));
  return file;
}

const keyFile = (name: string) => join(folder, "plan/keys", `${name}.key`);

/** Status of a board, with a key or without. */
async function ask(fleet: Fleet, board: VirtualBoard, key?: Uint8Array) {
  return fleet.clock.drive(
    (async () => {
      const link = await openBoard(openMemory(board, "x"), { clock: hostClockOn(fleet.clock), key });
      const status = await link.status();
      if (key) await link.endSession();
      await link.stream.transport.close();
      return status;
    })(),
  );
}

/** Nowhere but in the key files. */
function expectSecret(outcomes: Outcome[], names: string[]): void {
  for (const name of names) {
    const digits = readFileSync(keyFile(name), "latin1").trim();
    expect(digits).toMatch(/^[0-9a-f]{32}$/);
    for (const { out, err } of outcomes) expect(out + err.join("\n")).not.toContain(digits);
    expect(readFileSync(join(folder, "plan/state.jsonl"), "utf8")).not.toContain(digits);
  }
}

test("boards that are to be locked get a key each, in a file for their owner alone; the others stay open", async () => {
  const fleet = new Fleet();
  const boards = [fleet.board(), fleet.board(), fleet.board()];
  boards.forEach((board, i) => void fleet.put(`p${i}`, board));
  const run = await fleet.provision("--batch", plan("a,p0,puckjs,wearable,,yes", "b,p1,puckjs,wearable,,yes", "c,p2,puckjs,wearable,,no"), "--json");
  expect(run.error).toBeUndefined();
  expect((JSON.parse(run.out) as BatchReport).boards.map(({ keyFile }) => keyFile)).toEqual(["keys/a.key", "keys/b.key", undefined]);
  expect(readdirSync(join(folder, "plan/keys")).sort()).toEqual(["a.key", "b.key"]);
  expect(statSync(keyFile("a")).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "plan/keys")).mode & 0o777).toBe(0o700);
  expect(readFileSync(keyFile("a"))).not.toEqual(readFileSync(keyFile("b")));
  await expect(ask(fleet, boards[0])).rejects.toMatchObject({ code: "board_locked" });
  await expect(ask(fleet, boards[1])).rejects.toMatchObject({ code: "board_locked" });
  expect(await ask(fleet, boards[0], readKeyFile(keyFile("a")))).toMatchObject({ lk: 1, ad: 1 });
  expect((await ask(fleet, boards[2])).lk).toBeUndefined();
  expectSecret([run], ["a", "b"]);
});

test("a locked board is opened with its key when its plan has changed, and locked again", async () => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put(PORT, board);
  const first = await fleet.provision("--batch", plan(`a,${PORT},puckjs,wearable,cycleTime=60,yes`));
  const second = await fleet.provision("--batch", plan(`a,${PORT},puckjs,wearable,cycleTime=90,yes`));
  expect(second.error).toBeUndefined();
  await expect(ask(fleet, board)).rejects.toMatchObject({ code: "board_locked" });
  expect((await ask(fleet, board, readKeyFile(keyFile("a")))).c[0]).toBe(90);
  expectSecret([first, second], ["a"]);
});

test("at a port that boards share, a locked one is taken for the one before, and no key is tried on it twice", async () => {
  const fleet = new Fleet();
  const [a, b] = [fleet.board(), fleet.board()];
  fleet.put(PORT, a);
  fleet.onSaid = (line) => {
    if (!/a: done$/.test(line)) return;
    // left on the port for a while
    fleet.clock.after(40, () => fleet.put(PORT, undefined));
    fleet.clock.after(60, () => fleet.put(PORT, b));
  };
  const run = await fleet.provision("--batch", plan(`a,${PORT},puckjs,wearable,,yes`, `b,${PORT},puckjs,wearable,,yes`));
  expect(run.error).toBeUndefined();
  expect(run.err.join("\n")).toContain("take the board off and put the next one on: b (Puck.js)");
  for (const [name, board] of [["a", a] as const, ["b", b] as const])
    expect(await ask(fleet, board, readKeyFile(keyFile(name)))).toMatchObject({ lk: 1 });
});

test("somebody else's locked board is told as such, and not attacked", async () => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put(PORT, board);
  await fleet.provision("--batch", plan(`a,${PORT},puckjs,wearable,,yes`));
  rmSync(join(folder, "plan"), { recursive: true });
  const again = await fleet.provision("--batch", plan(`b,${PORT},puckjs,wearable,,yes`), "--wait", "30");
  expect(again.error?.code).toBe("not_all_done");
  expect(again.out).toContain("b: connect failed");
  expect(again.out).toContain("the board is locked");
});

test("a name that is released leaves the key to the board that was locked with it", async () => {
  const fleet = new Fleet();
  const [a, b] = [fleet.board(), fleet.board()];
  fleet.put(PORT, a);
  const file = plan(`n,${PORT},puckjs,wearable,,yes`);
  await fleet.provision("--batch", file);
  fleet.put(PORT, b);
  expect((await fleet.provision("--batch", file, "--release", "n")).error).toBeUndefined();
  expect(readdirSync(join(folder, "plan/keys")).sort()).toEqual([`n.${a.serialNumber}.key`, "n.key"]);
  expect(await ask(fleet, a, readKeyFile(keyFile(`n.${a.serialNumber}`)))).toMatchObject({ lk: 1 });
  expect(await ask(fleet, b, readKeyFile(keyFile("n")))).toMatchObject({ lk: 1 });
});

test("cut off between the key's file and the board's lock, the batch goes on with the same key", async () => {
  const fleet = new Fleet();
  const board = fleet.board();
  fleet.put(PORT, board);
  const file = plan(`a,${PORT},puckjs,wearable,,yes`);
  let cut = 0;
  fleet.onOpen = (_port, link) => {
    const { write } = link;
    link.write = (bytes) => {
      // the line that sets the key arrives, its answer does not
      const sets = /T\.l\(\d/.test(Buffer.from(bytes).toString("latin1"));
      const written = write(bytes);
      if (sets) {
        cut += 1;
        link.cut();
      }
      return written;
    };
  };
  const first = await fleet.provision("--batch", file, "--wait", "10");
  expect(cut).toBeGreaterThan(0);
  expect(first.error?.code).toBe("not_all_done");
  const key = readFileSync(keyFile("a"));
  fleet.onOpen = () => {};
  // the session of a board that nobody talks to ends by itself
  fleet.clock.advanceTo(fleet.clock.now + 400);
  const second = await fleet.provision("--batch", file);
  expect(second.error).toBeUndefined();
  expect(readFileSync(keyFile("a"))).toEqual(key);
  expect(await ask(fleet, board, readKeyFile(keyFile("a")))).toMatchObject({ lk: 1 });
  expectSecret([first, second], ["a"]);
});
