/** Bytes out, bytes in, closed: what a link to a board is made of. Implementations: serial.ts, tcp.ts, memory.ts. */
export interface Transport {
  /** As the user named it; stands at the beginning of every message about this board. */
  readonly name: string;
  /** Resolves when the bytes have been handed over. @throws DeviceError "disconnected" */
  write(bytes: Uint8Array): Promise<void>;
  /** One listener; a later one replaces it. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called once, when the link ends, with the reason unless `close` was called. */
  onClose(listener: (error?: Error) => void): void;
  /** Speed of this end of the wire. Absent where a link has none. */
  setBaud?(baud: number): Promise<void>;
  close(): Promise<void>;
}

/** Speed of a freshly started board's console. */
export const CONSOLE_BAUD = 9600;
