import { describe, expect, test } from "vitest";
import { ConsoleStream } from "../../host-tools/device/console-stream.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { openMemory } from "../../host-tools/device/memory.ts";
import { Repl } from "../../host-tools/device/repl.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { FakeConsole, type FakeConsoleOptions } from "../support/fake-console.ts";

const NOON = 1_790_000_000;

function board(options: FakeConsoleOptions = {}) {
  const clock = new VirtualClock(NOON);
  const pins = new FakeConsole(clock, options);
  const transport = openMemory(pins, "/dev/ttyTEST");
  const stream = new ConsoleStream(transport, hostClockOn(clock));
  return { clock, pins, transport, stream, repl: new Repl(stream, 9600) };
}

async function codeOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as { code: string; message: string },
  );
  if (!error) throw new Error("it succeeded");
  return { code: error.code, message: error.message };
}

describe("reaching a console", () => {
  test("a quiet prompt tells version, board and that there is no firmware of ours", async () => {
    const { clock, repl } = board();
    const identity = await clock.drive(repl.attach());
    expect(identity).toEqual({ version: { text: "2v26", major: 2, minor: 26 }, board: "PUCKJS", hardware: 2.1, serial: "", firmware: false });
    expect(clock.now - NOON).toBeLessThan(0.5);
  });

  test("a line that somebody left half typed is thrown away and not run", async () => {
    const { clock, pins, repl } = board({ typed: "reset(" });
    await clock.drive(repl.attach());
    expect(pins.lines.join("\n")).not.toContain("reset");
  });

  test("a bracket left open over several lines is left", async () => {
    const { clock, repl } = board({ typed: "function f() {\n  while (1) {\n" });
    expect((await clock.drive(repl.attach())).board).toBe("PUCKJS");
  });

  test("echo switched off makes no difference", async () => {
    const { clock, repl } = board({ prompt: "" });
    expect((await clock.drive(repl.attach())).board).toBe("PUCKJS");
  });

  test("a board that prints all the time is understood", async () => {
    const { clock, pins, repl } = board();
    const chatter = () => {
      pins.print("temperature 21.5\n");
      clock.at(clock.now + 0.05, chatter);
    };
    chatter();
    expect((await clock.drive(repl.attach())).board).toBe("PUCKJS");
    expect(await clock.drive(repl.evaluate("1+1"))).toBe(2);
  });

  test("the debugger is left", async () => {
    const { clock, repl } = board({ prompt: "debug>" });
    expect((await clock.drive(repl.attach())).board).toBe("PUCKJS");
  });

  test("code that runs for ever is interrupted at last, and the user is told", async () => {
    const { clock, pins, repl } = board();
    pins.busy = true;
    expect((await clock.drive(repl.attach())).board).toBe("PUCKJS");
    expect(repl.warnings.join()).toContain("interrupted");
  });

  test("a locked console says how to unlock it", async () => {
    const { clock, repl } = board({ prompt: "password>" });
    const { code, message } = await codeOf(clock.drive(repl.attach()));
    expect(code).toBe("locked");
    expect(message).toContain("/dev/ttyTEST");
  });

  test("silence names what to check", async () => {
    const { clock, pins, repl } = board();
    pins.powered = false;
    const { code, message } = await codeOf(clock.drive(repl.attach()));
    expect(code).toBe("silent");
    for (const word of ["/dev/ttyTEST", "9600", "RX", "ground", "restart"]) expect(message).toContain(word);
    expect(clock.now - NOON).toBeGreaterThan(5);
    expect(clock.now - NOON).toBeLessThan(15);
  });

  test("something that is no Espruino is told by what it says", async () => {
    const { clock, pins, repl } = board();
    pins.deaf = true;
    const login = () => {
      pins.print("raspberrypi login: ");
      clock.at(clock.now + 1, login);
    };
    login();
    const { code, message } = await codeOf(clock.drive(repl.attach()));
    expect(code).toBe("not_espruino");
    expect(message).toContain("raspberrypi login:");
  });

  test("a link that ends while waiting ends the wait at once", async () => {
    const { clock, pins, transport, repl } = board();
    pins.powered = false;
    clock.at(NOON + 1, () => transport.cut());
    const { code } = await codeOf(clock.drive(repl.attach()));
    expect(code).toBe("disconnected");
    expect(clock.now).toBe(NOON + 1);
  });
});

describe("evaluating an expression", () => {
  test("values come back as JSON has them", async () => {
    const { clock, repl } = board();
    await clock.drive(repl.attach());
    expect(await clock.drive(repl.evaluate('({a:[1,"~T3,4,5:"],b:null})'))).toEqual({ a: [1, "~T3,4,5:"], b: null });
    expect(await clock.drive(repl.evaluate("undefined"))).toBeUndefined();
  });

  test("an exception comes in the board's own words", async () => {
    const { clock, repl } = board();
    await clock.drive(repl.attach());
    const { code, message } = await codeOf(clock.drive(repl.evaluate("nothing.here")));
    expect(code).toBe("board_error");
    expect(message).toContain("nothing is not defined");
  });

  test("what can't be caught is told as well", async () => {
    const { clock, repl } = board();
    await clock.drive(repl.attach());
    const { code, message } = await codeOf(clock.drive(repl.evaluate("1+*2")));
    expect(code).toBe("board_error");
    expect(message).toContain("SyntaxError");
  });

  test("an answer longer than its time may take as long as its bytes keep coming", async () => {
    const { clock, repl } = board();
    await clock.drive(repl.attach());
    const value = await clock.drive(repl.evaluate('"x".repeat(6000)', 500));
    expect((value as string).length).toBe(6000);
    expect(clock.now - NOON).toBeGreaterThan(6);
  });

  test("a damaged answer is not taken, and asked for again where that does no harm", async () => {
    let spoil = false;
    const { clock, repl } = board({
      wire: (bytes) => {
        if (!spoil || !Buffer.from(bytes).includes("77")) return bytes;
        spoil = false;
        return Buffer.from(Buffer.from(bytes).toString("latin1").replace("77", "78"), "latin1");
      },
    });
    await clock.drive(repl.attach());
    spoil = true;
    expect(await clock.drive(repl.evaluate("77", 500, 2))).toBe(77);
    spoil = true;
    expect((await codeOf(clock.drive(repl.evaluate("77", 500)))).code).toBe("timeout");
  });
});
