import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bangle2 } from "../../boards/bangle2.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { register } from "../../host-tools/cli/virtual.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import { LiveBoard } from "../../host-tools/simulator/serve.ts";
import { VirtualBoard } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { START } from "../support/bench-board.ts";

let folder = "";
const boards: LiveBoard[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracelet-serve-"));
});

afterEach(async () => {
  for (const live of boards.splice(0)) await live.stop();
  rmSync(folder, { recursive: true });
});

function live(stateFolder?: string): LiveBoard {
  const made = new LiveBoard(new VirtualBoard({ facts: puckjs, clock: new VirtualClock(START) }), { speed: 100, stateFolder });
  boards.push(made);
  return made;
}

/** Sends text to a port and waits for `answer` to come back. */
async function ask(port: number, text: string, answer: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(Buffer.from(text, "latin1"));
  let got = "";
  for await (const bytes of socket) {
    got += (bytes as Buffer).toString("latin1");
    if (got.includes(answer)) break;
  }
  return got;
}

test("a board talks over TCP, and its flash is there the next time", async () => {
  const first = live(folder);
  const port = await first.listenTcp(0);
  first.start();
  expect(await ask(port, '\x10print(require("Storage").write("a","hello"))\n', "true\r\n")).toContain("true\r\n");
  await first.stop();
  expect(existsSync(join(folder, "flash.bin"))).toBe(true);

  const second = live(folder);
  const nextPort = await second.listenTcp(0);
  second.start();
  expect(await ask(nextPort, '\x10print(require("Storage").read("a"))\n', "hello\r\n")).toContain("hello\r\n");
});

test("a board whose console is Bluetooth takes a connection as one of those, one at a time, and none while it doesn't advertise that it does", async () => {
  const clock = new VirtualClock(START);
  const board = new VirtualBoard({ facts: bangle2, clock, radio: radioIn(new Air({ clock, seed: 3 })) });
  const made = new LiveBoard(board, { speed: 100 });
  boards.push(made);
  const port = await made.listenTcp(0);
  made.start();
  expect(board.consoleDevice).toBe("Terminal");
  const first = connect(port, "127.0.0.1");
  const answers = ["connected true", "Bluetooth"];
  let got = "";
  first.on("data", (bytes: Buffer) => {
    got += bytes.toString("latin1");
    if (answers.every((one) => got.includes(one))) first.emit("answered");
  });
  await once(first, "connect");
  first.write('\x10print("connected "+NRF.getSecurityStatus().connected,E.getConsole())\n');
  await once(first, "answered");
  const second = connect(port, "127.0.0.1");
  await once(second, "close");
  const moved = new Promise<void>((resolve) => {
    const look = () => (board.consoleDevice === "Terminal" ? resolve() : setTimeout(look, 5));
    look();
  });
  first.write('\x10NRF.on("disconnect",function(){NRF.setAdvertising({},{connectable:false,scannable:false})})\n');
  first.write("\x10print(1+1)\n");
  answers.push("2\r\n");
  await once(first, "answered");
  first.destroy();
  await moved;
  const third = connect(port, "127.0.0.1");
  await once(third, "close");
  expect(board.errors).toEqual([]);
});

test("a port that is taken and a state that is no flash are said in words", async () => {
  const port = await live().listenTcp(0);
  await expect(live().listenTcp(port)).rejects.toThrow(`port ${port} is taken; name another for --tcp`);
  writeFileSync(join(folder, "flash.bin"), "not flash");
  expect(() => live(folder).start()).toThrow(/flash\.bin: not a flash image of this board; take another --state folder/);
});

test("a terminal needs a free path and socat", async () => {
  const path = join(folder, "taken");
  writeFileSync(path, "");
  await expect(live().listenPty(path)).rejects.toThrow(`${path} is there already`);
  const before = process.env.PATH;
  process.env.PATH = folder;
  try {
    await expect(live().listenPty(join(folder, "pty"))).rejects.toThrow("--pty needs socat");
  } finally {
    process.env.PATH = before;
  }
});

test("the command wants a console and a board it knows", async () => {
  const virtual = (...options: string[]) => {
    const program = new Command();
    register(program);
    for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ outputError: () => {} });
    return program.parseAsync(["virtual", ...options], { from: "user" });
  };
  await expect(virtual()).rejects.toThrow("--tcp <port>, --pty <path> or both");
  await expect(virtual("--board", "nope", "--tcp", "0")).rejects.toThrow("no board is called nope; known: puckjs");
  await expect(virtual("--tcp", "70000")).rejects.toThrow("a port from 0 to 65535");
  await expect(virtual("--tcp", "0", "--firmware", "latest")).rejects.toThrow("a release such as 2v29");
});
