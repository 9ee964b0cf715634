import { Board } from "./board.ts";
import { ConsoleStream } from "./console-stream.ts";
import { type HostClock, systemClock } from "./host-clock.ts";
import { FAST_BAUD, leaveFastSpeed } from "./link-speed.ts";
import { Repl } from "./repl.ts";
import { CONSOLE_BAUD, type Transport } from "./transport.ts";

/** Opens the port called `name`: `tcp://host:port` or the path of a serial port. @throws DeviceError "no_port", "port_busy" */
export async function openPort(name: string, baud = CONSOLE_BAUD): Promise<Transport> {
  // loaded when needed: a hub that talks to virtual boards only needs no serial driver
  if (/^tcp:/i.test(name)) return (await import("./tcp.ts")).openTcp(name);
  return (await import("./serial.ts")).openSerial(name, baud);
}

/** Reaches the interpreter at the far end of `transport` and finds out what it is; opens it with `key` (16 bytes) where it is locked. The transport is closed if that fails. */
export async function openBoard(transport: Transport, options: { baud?: number; clock?: HostClock; key?: Uint8Array } = {}): Promise<Board> {
  const baud = options.baud ?? CONSOLE_BAUD;
  const repl = new Repl(new ConsoleStream(transport, options.clock ?? systemClock), baud, options.key);
  try {
    const identity = await repl.attach(baud < FAST_BAUD ? FAST_BAUD : undefined);
    if (repl.baud !== baud) await leaveFastSpeed(repl, baud);
    return new Board(repl, identity);
  } catch (error) {
    await transport.close();
    throw error;
  }
}
