import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import { LiveBoard } from "../../host-tools/simulator/serve.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { Store } from "../../host-tools/store/store.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { tracelet } from "../support/command-line.ts";
import { install, setClock } from "../support/worn-boards.ts";

test("keys that a board hands over go to a private file, and with --db to the store as that board's; they are never printed", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tracelet-keys-"));
  const board = new VirtualBoard({ facts: puckjs, clock: new VirtualClock(1_790_000_000), radio: radioIn(undefined) });
  install(board, await firmwareFor());
  const live = new LiveBoard(board, { speed: 20 });
  try {
    const port = await live.listenTcp(0);
    live.start();
    setClock(board, board.clock.now);
    const [out, db] = [join(folder, "teks.json"), join(folder, "tracelet.db")];
    const pulled = await tracelet("keys", "pull", "--port", `tcp://localhost:${port}`, "--out", out, "--db", db);
    expect(pulled.exit, pulled.err).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const handed = JSON.parse(readFileSync(out, "utf8")) as { tek: string; rollingStart: number; rollingPeriod: number }[];
    const store = Store.open(db);
    const kept = await store.keys(board.serialNumber);
    await store.close();
    expect(kept.map(({ tek, rollingStart, rollingPeriod }) => ({ tek: Buffer.from(tek).toString("hex"), rollingStart, rollingPeriod }))).toEqual(
      handed,
    );
    expect(handed).toHaveLength(1);
    expect(pulled.out + pulled.err).not.toContain(handed[0].tek);
  } finally {
    await live.stop();
    rmSync(folder, { recursive: true });
  }
});
