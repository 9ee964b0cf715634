import { DeviceError } from "../errors.ts";
import type { Transport } from "./transport.ts";

/** The console pins of a board in this process. A virtual board paces its bytes itself, at the speed its UART is set to. */
export interface ConsolePins {
  input(bytes: Uint8Array): void;
  onOutput(listener: (bytes: Uint8Array) => void): void;
}

export interface MemoryTransport extends Transport {
  /** Pulls the plug: nothing goes either way any more, and this end is told. */
  cut(): void;
}

export function openMemory(board: ConsolePins, name = "virtual board"): MemoryTransport {
  let data: ((bytes: Uint8Array) => void) | undefined;
  let closed: ((error?: Error) => void) | undefined;
  let open = true;
  const gone = () => new DeviceError("disconnected", `${name}: the link was cut`);
  board.onOutput((bytes) => {
    if (open) data?.(bytes);
  });
  return {
    name,
    async write(bytes) {
      if (!open) throw gone();
      board.input(bytes);
    },
    onData: (listener) => {
      data = listener;
    },
    onClose: (listener) => {
      closed = listener;
    },
    cut() {
      if (!open) return;
      open = false;
      closed?.(gone());
    },
    async close() {
      if (!open) return;
      open = false;
      closed?.();
    },
  };
}
