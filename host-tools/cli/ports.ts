import { listPorts } from "../device/ports.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

const NONE = `No serial port found. Plug in the adapter; on a Raspberry Pi switch the UART on (raspi-config, Interface, Serial Port: no login shell, hardware on).
A virtual board needs none: tracelet virtual, then --port tcp://localhost:<port>.`;

export const register: RegisterCommand = (program) => {
  program
    .command("ports")
    .description("list serial ports at which a board may be")
    .option("--json", "print one JSON document")
    .action(async (options: { json?: boolean }) => {
      const ports = await listPorts();
      const width = Math.max(0, ...ports.map((port) => port.path.length));
      const lines = ports.map((port) => `${port.path.padEnd(width)}  ${port.description}`.trimEnd());
      createOutput(options.json === true).result(ports, lines.join("\n") || NONE);
    });
};
