/** What the generator writes into a bundle. Each is a constant of its own, so that the minifier takes out what a board or a role doesn't need. */
declare module "tracelet:build" {
  /** Board id, as in boards/. */
  export const BOARD_ID: string;
  export const ROLE: string;
  /** Firmware version and a build id, at most 15 ASCII characters. */
  export const VERSION: string;
  // Protocols built in.
  export const GAEN: boolean;
  export const CT10: boolean;
  /** The low-cost design. */
  export const DP3T: boolean;
  export const DP3T_UNLINKABLE: boolean;
  export const SMARTBEACON: boolean;
  export const OPENCOVIDTRACE: boolean;
  /** Does it send SmartBeacon's messages, or collect them? */
  export const MESSAGES: boolean;
  export const COLLECT: boolean;
  /** Does it meet others by connections, as BlueTrace has it? Then neither ADVERTISE nor SCAN, which are for who only sends and hears. */
  export const TOKEN: boolean;
  /** Are identifiers that others don't send read over connections? */
  export const READS: boolean;
  /** Are its own offered to whoever connects? */
  export const SERVES: boolean;
  /** Any but GAEN alone. */
  export const SEVERAL: boolean;
  /** All that are built in: bit n for tag n. */
  export const PROTOCOLS: number;
  /** Does this role transmit? */
  export const ADVERTISE: boolean;
  /** Does this role scan and log? */
  export const SCAN: boolean;
  /** Settings a fresh board starts with, in the order of protocols/settings.ts. */
  export const DEFAULTS: number[];
  /** Address of Storage by the board's facts, for interpreters that don't tell it in `process.memory()`. */
  export const STORAGE: number;
  /** Is Storage a chip beside the nRF52, which programs many bytes at a time? */
  export const EXTERNAL_FLASH: boolean;
  /** Is AES, is SHA-256 compiled into the interpreter? */
  export const AES_BUILT_IN: boolean;
  export const SHA256_BUILT_IN: boolean;
  /** Firmware id of the SoftDevice by the board's facts, for interpreters that don't tell it in `process.env`. */
  export const SOFT_DEVICE: number;
  /** Does it read phones' packets, as a token whose radio stack reads enough? */
  export const READS_PHONES: boolean;
  /** ATT MTU that the radio stack agrees to, bytes: a read answers one less, a write takes three less. */
  export const MTU: number;
  /** Guests of a scan at most: so many are heard, once each, while all places are in use by others who are there. As many as there is memory for. */
  export const GUESTS: number;
  /** How many of LED1, LED2, LED3 the board has as indicator lights. 3: red, green, blue. */
  export const LIGHTS: number;
  /** 1: the screen of a Pixl.js. 2: that of a Bangle.js 2, whose button wakes it by itself. 0: no screen that we draw on. */
  export const SCREEN: number;
  /** Seconds after which a press is a long one. */
  export const LONG_PRESS: number;
  /** Where the cell isn't at the chip's own supply: the pin that tells its voltage, and volts for a reading of 1. Else "" and 0. */
  export const BATTERY_PIN: string;
  export const VOLTS_AT_ONE: number;
  /** Has the console no port but Bluetooth? */
  export const BLUETOOTH_CONSOLE: boolean;
  /** Can it prove that it advertises, and testify for others? */
  export const PROOF: boolean;
  /** Is there a button called BTN? */
  export const BUTTON: boolean;
  /** Port of the console as the board starts. */
  export const CONSOLE: string;
  /** Has the board USB beside its pins? */
  export const USB_PORT: boolean;
  /** Can it be locked? */
  export const LOCK: boolean;
}
