import type { BoardFacts } from "../../boards/board-facts.ts";
import type { BoardClock } from "./board-clock.ts";
import { SerialLink } from "./serial-link.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** The console over Bluetooth: one notification of MTU − 3 bytes every 7.5 ms. */
const CONNECTION_SECONDS = 0.0075;
const BITS_PER_BYTE = 10;
/** From this much RAM on the output buffer is 256 characters, else 128. Source: scripts/build_platform_config.py. */
const LARGE_RAM_KB = 128;

/** The console of a board without a wire. */
const SCREEN = "Terminal";

export interface WireHost {
  clock: VirtualClock;
  time: BoardClock;
  /** Bytes have arrived at a port: `Serial1`, `USB` or `Bluetooth`. */
  received(port: string, bytes: Uint8Array): void;
  /** Output for a central. */
  toRadio(bytes: Uint8Array): void;
}

/**
 * What the console may be reached by: the wire (a UART; USB where the board has it) and the radio. A board whose console is its screen has no
 * wire: what is written there would be on the screen, which is left out.
 */
export class Wires {
  readonly wire: SerialLink;
  /** The device that is the console; null: none. */
  device: string | null;
  /** Connections that come and go don't move the console. */
  forced = false;
  private readonly wireDevice: string;
  private readonly radio: SerialLink;
  private readonly baud: number;

  constructor(facts: BoardFacts, host: WireHost) {
    const { device, baud } = facts.console;
    const radioBaud = ((facts.gatt.mtu - 3) * BITS_PER_BYTE) / CONNECTION_SECONDS;
    const buffer = facts.chip.ramKb >= LARGE_RAM_KB ? 256 : 128;
    const end = (name: string) => ({
      clock: host.clock,
      now: () => host.time.trueNow,
      received: (bytes: Uint8Array) => host.received(name, bytes),
      blockUntil: (time: number) => host.time.spend(time - host.time.trueNow),
    });
    this.wireDevice = device;
    this.device = this.wireDevice;
    this.baud = baud;
    this.wire = new SerialLink(end(this.wireDevice), this.baud, buffer);
    this.radio = new SerialLink(end("Bluetooth"), radioBaud, buffer);
    this.radio.flow = true;
    this.radio.onOutput((bytes) => host.toRadio(bytes));
  }

  /** The device that the console goes back to. */
  get usual(): string {
    return this.wireDevice;
  }

  get current(): SerialLink | undefined {
    return this.device === null ? undefined : this.port(this.device);
  }

  /** What a port is written to by: undefined where it leads nowhere. */
  port(name: string): SerialLink | undefined {
    if (name === "Bluetooth") return this.radio;
    return name === this.wireDevice && name !== SCREEN ? this.wire : undefined;
  }

  fromRadio(bytes: Uint8Array): void {
    this.radio.input(bytes);
  }

  /** What is on its way over the radio is lost with the link. */
  linkChanged(): void {
    this.radio.clear();
  }

  reset(): void {
    this.wire.clear();
    this.radio.clear();
    this.wire.baud = this.baud;
    this.wire.flow = false;
    this.device = this.wireDevice;
    this.forced = false;
  }
}
