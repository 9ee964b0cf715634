import { connect } from "node:net";
import { DeviceError } from "../errors.ts";
import type { Transport } from "./transport.ts";

/** `tcp://host:port` → host and port. @throws DeviceError "no_port" */
export function parseTcpName(name: string): { host: string; port: number } {
  const match = /^tcp:\/\/(\[[0-9a-f:]+\]|[^:/]+):(\d{1,5})\/?$/i.exec(name);
  const port = Number(match?.[2]);
  if (!match || port < 1 || port > 65535) throw new DeviceError("no_port", `${name}: a board behind TCP is named tcp://host:port`);
  return { host: match[1].replace(/^\[|\]$/g, ""), port };
}

/** A console behind a TCP port: a virtual board, or a serial adapter in the network. Bytes as they are, no Telnet. */
export async function openTcp(name: string): Promise<Transport> {
  const { host, port } = parseTcpName(name);
  const socket = connect({ host, port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ECONNREFUSED" ? "nobody listens there; is the virtual board running (`tracelet virtual`)?" : error.message;
      reject(new DeviceError("no_port", `${name}: ${why}`, { cause: error }));
    });
  });
  socket.removeAllListeners("error");
  let closed: ((error?: Error) => void) | undefined;
  let closing = false;
  let reason: Error | undefined;
  socket.on("error", (error) => {
    reason = error;
  });
  socket.on("close", () => {
    if (closing) closed?.();
    else closed?.(new DeviceError("disconnected", `${name}: the other end closed the link`, { cause: reason }));
  });
  return {
    name,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) => {
          if (error) reject(new DeviceError("disconnected", `${name}: the other end closed the link (${error.message})`, { cause: error }));
          else resolve();
        });
      }),
    onData: (listener) => {
      socket.removeAllListeners("data");
      socket.on("data", listener);
    },
    onClose: (listener) => {
      closed = listener;
    },
    close: () =>
      new Promise((resolve) => {
        closing = true;
        if (socket.destroyed) return resolve();
        socket.once("close", () => resolve());
        socket.end();
        socket.destroySoon();
      }),
  };
}
