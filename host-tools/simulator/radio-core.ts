import type { FrontEnd } from "./radio-front-end.ts";
import type { RadioHost } from "./radio-host.ts";

/** Errors of Nordic's stack that a script can meet. Source: S132 3.1.0, nrf_error.h and ble_err.h; names as Espruino prints them (targets/nrf5x/bluetooth.c, jsble_get_error_string). */
export const ERROR = {
  NO_MEM: 0x4,
  INVALID_PARAM: 0x7,
  INVALID_STATE: 0x8,
  INVALID_LENGTH: 0x9,
  INVALID_DATA: 0xb,
  DATA_SIZE: 0xc,
  INVALID_ADDR: 0x10,
  BUSY: 0x11,
  CONN_COUNT: 0x12,
  INVALID_CONN_HANDLE: 0x3002,
  INVALID_ADV_HANDLE: 0x3004,
  INVALID_BLE_ADDR: 0x3202,
} as const;

const NAMES: Record<number, string> = {
  [ERROR.NO_MEM]: "NO_MEM",
  [ERROR.INVALID_PARAM]: "INVALID_PARAM",
  [ERROR.INVALID_STATE]: "INVALID_STATE",
  [ERROR.INVALID_LENGTH]: "INVALID_LENGTH",
  [ERROR.DATA_SIZE]: "DATA_SIZE",
  [ERROR.INVALID_ADDR]: "INVALID ADDR",
  [ERROR.BUSY]: "BUSY",
  [ERROR.CONN_COUNT]: "CONN_COUNT",
  [ERROR.INVALID_CONN_HANDLE]: "INVALID_CONN_HANDLE",
  [ERROR.INVALID_BLE_ADDR]: "INVALID_BLE_ADDR",
};

/** What a call to the stack answered: 0 is success, otherwise the code and the line of Espruino's source that reports it. */
export interface StackResult {
  code: number;
  line: number;
}

export const SUCCESS: StackResult = { code: 0, line: 0 };

/** The text of a stack error; boards built without names (Pixl.js) print the number only. */
export function errorText(code: number, named: boolean): string {
  const name = named ? NAMES[code] : undefined;
  return `ERR 0x${code.toString(16)}${name ? ` (${name})` : ""}`;
}

/** Interpreter values of milliseconds in the stack's units of 625 us, with the 32- and 16-bit overflow that the C code has. */
export function toUnits(ms: number): number {
  return Math.trunc((Math.imul(ms, 1000) | 0) / 625);
}

/** Ways in which a radio can fail, for tests. Codes are those of the stack, 0 where nothing is wrong. */
export interface RadioFaults {
  /** What the stack answers who wants to scan. */
  scan: number;
  /** What the stack answers who wants to advertise. */
  advertise: number;
  /** Scans begin and end as ever, and nothing is reported. A restart of the stack cures it. */
  deaf: boolean;
}

/** What the parts of a radio share. */
export interface RadioCore {
  readonly host: RadioHost;
  readonly frontEnd: FrontEnd;
  /** Built on Nordic's SDK 15 (nRF52840 boards) and not 12. */
  readonly sdk15: boolean;
  /** Address as other radios see it, with its type: `aa:bb:cc:dd:ee:ff random`. */
  readonly airAddress: string;
  readonly linked: boolean;
  /** The stack listens for a board to connect to; meanwhile it does not scan. */
  readonly connecting: boolean;
  /** What a central reads as the device's name. */
  readonly deviceName: string;
  readonly faults: RadioFaults;
  /** Bytes of the name that Espruino gives itself. */
  defaultName(): Uint8Array;
  readonly txPower: number;
  readonly uartRuns: boolean;
  /** Fires an event of `NRF`, from the main loop. */
  emit(event: string, args: unknown[]): void;
  /** Throws and fires `error` if the stack refused. */
  check(result: StackResult): void;
  /** The text of a stack error, as this board prints it. */
  errorText(code: number): string;
  /** What a scan reports, as an object of the script. */
  makeDevice(plain: Record<string, unknown>): object;
  /** A procedure of the stack has run into its time limit. True: Espruino takes it for the end of the connection attempt that it waits for. */
  timeoutMistaken(source: number): boolean;
}
