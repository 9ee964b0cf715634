import { ERROR } from "./radio-core.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

/** Where a supervisor call's pointer leads: the bytes in the chip's memory, undefined where nothing lies. */
export type Memory = (address: number, length: number) => Uint8Array | undefined;

/** What of a radio its privacy settings need. */
export interface PrivacyHost {
  readonly clock: VirtualClock;
  /** Seeded, 0 to 1. */
  random(): number;
  /** Advertising, scanning or a link. */
  readonly rolesRunning: boolean;
  /** As other radios would see it without privacy: `aa:bb:cc:dd:ee:ff random`. */
  readonly identity: string;
  /** As they see it now. */
  readonly airAddress: string;
  readonly advertises: boolean;
  readonly sdk15: boolean;
  /** There is another address on the air from now on. */
  addressChanged(address: string): void;
}

/** Numbers of the calls. Source: enum BLE_GAP_SVCS in ble_gap.h, from BLE_GAP_SVC_BASE 0x6C on; the same in S132 3.1.0 and S140 6.1.1, which alone has the last one. */
const ADDR_GET = 0x6d;
const PRIVACY_SET = 0x70;
const PRIVACY_GET = 0x71;
const ADV_ADDR_GET = 0x93;

/** ble_gap_privacy_params_t: u8 mode, u8 kind of address, u16 seconds of a cycle, u32 pointer to a key of 16 bytes or 0; little-endian. */
const PARAMETER_BYTES = 8;
const KEY_BYTES = 16;
/** Modes: 0 off, 1 device privacy; S140 has 2, network privacy. */
const MODES = { sdk12: 1, sdk15: 2 };
const RESOLVABLE = 2;
const NON_RESOLVABLE = 3;
/** Seconds; 0 means the first of them. */
const DEFAULT_CYCLE = 900;
const LONGEST_CYCLE = 41_400;
/** ble_gap_addr_t: a bit and the type in seven, then six bytes, least significant first. */
const ADDRESS_BYTES = 7;
const TYPES = ["public", "random", "private-resolvable", "private-nonresolvable"];

/**
 * Privacy settings of the SoftDevice, which scripts reach only by a supervisor call: while they are on, a private address that the stack draws itself is on the air and changes by
 * itself at the end of each cycle. A restart of the stack turns them off.
 *
 * What the headers leave open is modelled as it suits a script least: a new address comes with turning privacy on and with the end of a cycle, not with setting it again.
 * Source: Nordic, ble_gap.h of S132 3.1.0 and S140 6.1.1.
 */
export class RadioPrivacy {
  /** The private address on the air, with its kind as Espruino prints it. */
  address: string | undefined;
  private kind = RESOLVABLE;
  private cycle = DEFAULT_CYCLE;
  private mode = 0;
  private timer: Scheduled | undefined;

  constructor(private readonly host: PrivacyHost) {}

  /** The answer of call `number`: an error code or 0; undefined if it is none of these. */
  call(number: number, args: number[], memory: Memory): number | undefined {
    const [first, second] = [args[0] ?? 0, args[1] ?? 0];
    const at = (address: number, length: number) => (address & 3 ? undefined : memory(address, length));
    if (number === PRIVACY_SET) return this.set(at(first, PARAMETER_BYTES), memory);
    if (number === PRIVACY_GET) return this.get(at(first, PARAMETER_BYTES), memory);
    if (number === ADDR_GET) return writeAddress(at(first, ADDRESS_BYTES), this.host.identity);
    if (number !== ADV_ADDR_GET || !this.host.sdk15) return undefined;
    if (first !== 0) return ERROR.INVALID_ADV_HANDLE;
    if (!this.host.advertises) return ERROR.INVALID_STATE;
    return writeAddress(at(second, ADDRESS_BYTES), this.host.airAddress);
  }

  /** The stack starts anew, or the power is gone. */
  off(): void {
    this.mode = 0;
    this.kind = RESOLVABLE;
    this.cycle = DEFAULT_CYCLE;
    this.stop();
  }

  private set(parameters: Uint8Array | undefined, memory: Memory): number {
    if (!parameters) return ERROR.INVALID_ADDR;
    const [mode, kind, cycle] = [parameters[0]!, parameters[1]!, u16(parameters, 2)];
    const key = u32(parameters, 4);
    if (key !== 0 && !memory(key, KEY_BYTES)) return ERROR.INVALID_ADDR;
    if (kind !== RESOLVABLE && kind !== NON_RESOLVABLE) return ERROR.INVALID_BLE_ADDR;
    if (mode > (this.host.sdk15 ? MODES.sdk15 : MODES.sdk12) || cycle > LONGEST_CYCLE) return ERROR.INVALID_PARAM;
    if (this.host.rolesRunning) return ERROR.INVALID_STATE;
    const stays = mode !== 0 && this.address !== undefined && kind === this.kind;
    this.mode = mode;
    this.kind = kind;
    this.cycle = cycle || DEFAULT_CYCLE;
    if (!stays) {
      this.stop();
      if (mode !== 0) this.draw();
    } else this.wait();
    return 0;
  }

  private get(parameters: Uint8Array | undefined, memory: Memory): number {
    if (!parameters) return ERROR.INVALID_ADDR;
    const key = u32(parameters, 4);
    const room = key === 0 ? undefined : memory(key, KEY_BYTES);
    if (key !== 0 && !room) return ERROR.INVALID_ADDR;
    parameters.set([this.mode, this.kind, this.cycle & 255, this.cycle >> 8]);
    // the device's own key; nothing here needs it to be one
    room?.fill(0);
    return 0;
  }

  private draw(): void {
    const bytes = Array.from({ length: 6 }, () => Math.floor(this.host.random() * 256));
    // the two upper bits tell the kind; a resolvable one would be a hash of a key that nobody asks for here
    bytes[0] = (bytes[0]! & 0x3f) | (this.kind === RESOLVABLE ? 0x40 : 0);
    this.address = `${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":")} ${TYPES[this.kind]}`;
    this.wait();
    this.host.addressChanged(this.address);
  }

  private wait(): void {
    this.timer?.cancel();
    this.timer = this.host.clock.after(this.cycle, () => this.draw());
  }

  private stop(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.address = undefined;
  }
}

function writeAddress(place: Uint8Array | undefined, text: string): number {
  if (!place) return ERROR.INVALID_ADDR;
  place[0] = TYPES.indexOf(text.slice(18)) << 1;
  place.set(Buffer.from(text.slice(0, 17).replaceAll(":", ""), "hex").reverse(), 1);
  return 0;
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

function u32(bytes: Uint8Array, at: number): number {
  return (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;
}
