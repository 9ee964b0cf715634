import { existsSync } from "node:fs";
import { SerialPort } from "serialport";
import { DeviceError } from "../errors.ts";
import { CONSOLE_BAUD, type Transport } from "./transport.ts";

/** What a user can do about a port that doesn't open, by what the system said. */
export function openingFailed(path: string, error: Error): DeviceError {
  const said = error.message;
  if (!existsSync(path) || /No such file|ENOENT/i.test(said))
    return new DeviceError("no_port", `${path}: there is no such port; is the adapter plugged in? \`tracelet ports\` lists what there is`, {
      cause: error,
    });
  if (/denied|EACCES|EPERM/i.test(said))
    return new DeviceError(
      "no_port",
      `${path}: not allowed to open it; add yourself to its group (\`sudo usermod -aG dialout $USER\`) and log in again`,
      {
        cause: error,
      },
    );
  if (/lock|busy|EBUSY|temporarily unavailable/i.test(said))
    return new DeviceError("port_busy", `${path}: another program holds the port; close it (\`fuser ${path}\` tells which) and try again`, {
      cause: error,
    });
  return new DeviceError(
    "no_port",
    `${path}: can't be opened as a serial port (${said.replace(/^Error:? /, "")}); check the name with \`tracelet ports\``,
    { cause: error },
  );
}

/** A UART: the pins of a Raspberry Pi or a USB adapter. 8N1, the port locked for others. */
export async function openSerial(path: string, baud = CONSOLE_BAUD): Promise<Transport> {
  const port = new SerialPort({ path, baudRate: baud, autoOpen: false, lock: true });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(openingFailed(path, error)) : resolve()));
  });
  let closed: ((error?: Error) => void) | undefined;
  let closing = false;
  const gone = (error?: Error | null) => {
    const listener = closed;
    closed = undefined;
    if (closing) listener?.();
    else listener?.(new DeviceError("disconnected", `${path}: the port went away; check the cable and the adapter`, { cause: error ?? undefined }));
  };
  port.on("close", gone);
  port.on("error", gone);
  return {
    name: path,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        port.write(bytes, (error) => {
          if (error) reject(new DeviceError("disconnected", `${path}: writing failed (${error.message}); check the cable`, { cause: error }));
          else resolve();
        });
      }),
    onData: (listener) => {
      port.removeAllListeners("data");
      port.on("data", listener);
    },
    onClose: (listener) => {
      closed = listener;
    },
    setBaud: (rate) =>
      new Promise((resolve, reject) => {
        port.drain(() => {
          port.update({ baudRate: rate }, (error) => {
            if (error) reject(new DeviceError("baud", `${path}: the adapter doesn't do ${rate} baud (${error.message})`, { cause: error }));
            else resolve();
          });
        });
      }),
    close: () =>
      new Promise((resolve) => {
        closing = true;
        if (!port.isOpen) return resolve();
        port.drain(() => port.close(() => resolve()));
      }),
  };
}
