import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PNG } from "pngjs";
import { afterEach, beforeEach, expect, test } from "vitest";
import { puckjs } from "../../boards/puckjs.ts";
import { encodeLogHead, logFileBytes } from "../../host-tools/device/log-head.ts";
import { LiveBoard } from "../../host-tools/simulator/serve.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { tracelet } from "../support/command-line.ts";

let folder: string;
let live: LiveBoard;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-label-"));
  live = new LiveBoard(new VirtualBoard({ facts: puckjs, clock: new VirtualClock(1_790_000_000) }), { speed: 50 });
});
afterEach(async () => {
  await live.stop();
  rmSync(folder, { recursive: true });
});

test("a board at a port gets its label; one without a log is told how it gets one", async () => {
  const { board } = live;
  const link = `tcp://localhost:${await live.listenTcp(0)}`;
  live.start();
  const file = join(folder, "a.png");
  const bare = await tracelet("label", "--port", link, "--name", "puck-07", "--out", file);
  expect([bare.exit, bare.err]).toEqual([1, expect.stringContaining("tracelet flash")]);
  board.storage.write("tl.log", encodeLogHead(Buffer.from("0123456789abcdef", "hex"), 5), undefined, 0, logFileBytes(5));
  const done = await tracelet("label", "--port", link, "--name", "puck-07", "--out", file);
  expect(done).toEqual({ exit: 0, out: `${file}: its QR code says "TL:01234567 puck-07"\n`, err: "" });
  expect(PNG.sync.read(readFileSync(file)).width).toBe(295);
  const json = await tracelet("label", "--port", link, "--name", "no name", "--json");
  expect([json.exit, JSON.parse(json.err).error.code]).toEqual([2, "bad_name"]);
});
