import type { RadioLink } from "./radio-link.ts";
import type { VirtualBoard } from "./virtual-board.ts";

/** A board's console as a hub has it that is connected over Bluetooth, by whatever bridge makes a port of that. */
export class BluetoothConsole {
  private constructor(private readonly link: RadioLink) {}

  /** Undefined where the board takes no connection now: it is switched off, somebody else is connected, or it doesn't advertise that it takes one. */
  static open(board: VirtualBoard): BluetoothConsole | undefined {
    const { radio } = board;
    return radio?.connectable && radio.connect ? new BluetoothConsole(radio.connect()) : undefined;
  }

  get connected(): boolean {
    return this.link.connected;
  }

  input(bytes: Uint8Array): void {
    if (this.link.connected) this.link.uart(bytes);
  }

  onOutput(listener: (bytes: Uint8Array) => void): void {
    this.link.onUart = listener;
  }

  /** The board has ended the connection. */
  onEnd(listener: () => void): void {
    this.link.onDisconnect = listener;
  }

  close(): void {
    this.link.disconnect();
  }
}
