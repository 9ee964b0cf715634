import { describe, expect, test } from "vitest";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { raiseSpeed } from "../../host-tools/device/link-speed.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { openBoard } from "../../host-tools/device/open-board.ts";
import type { Transport } from "../../host-tools/device/transport.ts";
import { virtualBoard } from "../support/virtual-link.ts";

/** A wire with a speed at either end: what is sent at another speed than it is read at arrives as rubbish. */
function wire(options: { id?: string; bestBaud?: number } = {}) {
  const { clock, board } = virtualBoard(options.id ?? "puckjs");
  let hostBaud = 9600;
  const rubbish = (bytes: Uint8Array) => {
    const understood = hostBaud === board.link.baud && hostBaud <= (options.bestBaud ?? Number.POSITIVE_INFINITY);
    return understood ? bytes : bytes.map((byte) => (byte * 7) | 0x80);
  };
  const open = (): Transport => ({
    ...openMemory({
      input: (bytes) => board.input(rubbish(bytes)),
      onOutput: (listener) => void board.onOutput((bytes) => listener(rubbish(bytes))),
    }),
    setBaud: async (baud) => {
      hostBaud = baud;
    },
  });
  const connect = () => {
    hostBaud = 9600;
    return clock.drive(openBoard(open(), { clock: hostClockOn(clock) }));
  };
  return { clock, board, connect, hostBaud: () => hostBaud };
}

describe("raising the speed of a wire", () => {
  test("both ends go up together, and down again", async () => {
    const { clock, board, connect, hostBaud } = wire();
    const link = await connect();
    const raised = await clock.drive(raiseSpeed(link.repl, link.identity));
    expect([raised?.baud, board.link.baud, hostBaud()]).toEqual([115200, 115200, 115200]);
    expect(await clock.drive(link.repl.evaluate("6*7"))).toBe(42);
    await clock.drive(raised!.restore());
    expect([board.link.baud, hostBaud()]).toEqual([9600, 9600]);
    expect(await clock.drive(link.repl.evaluate("6*7"))).toBe(42);
  });

  test("a long piece of work holds it up", async () => {
    const { clock, board, connect } = wire();
    const link = await connect();
    const raised = await clock.drive(raiseSpeed(link.repl, link.identity));
    await clock.drive(new Promise<void>((resolve) => void clock.at(clock.now + 120, resolve)));
    expect(board.link.baud).toBe(115200);
    await clock.drive(raised!.restore());
  });

  test("a wire that doesn't carry it is used as before", async () => {
    const { clock, board, connect, hostBaud } = wire({ bestBaud: 57600 });
    const link = await connect();
    expect(await clock.drive(raiseSpeed(link.repl, link.identity))).toBeUndefined();
    expect([board.link.baud, hostBaud()]).toEqual([9600, 9600]);
    expect(await clock.drive(link.repl.evaluate("6*7"))).toBe(42);
  });

  test("a hub that disappears leaves a board that goes back by itself", async () => {
    const { clock, board, connect } = wire();
    const link = await connect();
    await clock.drive(raiseSpeed(link.repl, link.identity));
    await link.stream.transport.close();
    clock.advanceTo(clock.now + 45);
    expect(board.link.baud).toBe(9600);
  });

  test("a hub that comes back at once finds the board at the raised speed, and lowers it", async () => {
    const { clock, board, connect, hostBaud } = wire();
    const first = await connect();
    await clock.drive(raiseSpeed(first.repl, first.identity));
    await first.stream.transport.close();
    const link = await connect();
    expect([board.link.baud, hostBaud()]).toEqual([9600, 9600]);
    expect(await clock.drive(link.repl.evaluate("6*7"))).toBe(42);
  });

  test("a board whose console is not on known pins stays as it is: naming no pins would shut its console", async () => {
    const { clock, board, connect } = wire({ id: "bangle2" });
    const link = await connect().catch(() => undefined);
    if (link) expect(await clock.drive(raiseSpeed(link.repl, link.identity))).toBeUndefined();
    expect(board.link.baud).toBe(9600);
  });
});
