// The calls of the interpreter that this firmware makes, and nothing else: our list of what we depend on.

declare interface Advertisement {
  /** `aa:bb:cc:dd:ee:ff random`, or `public` */
  id: string;
  rssi: number;
  /** The advertising data as received. */
  data: ArrayBuffer;
}

declare type Pin = { readonly pin: unique symbol };

/** What is drawn goes to a buffer; `flip` sends what has changed to the screen. All but `flip` answer the object itself. */
declare interface Graphics {
  /** `true`: colour, font and the rest as at the start. */
  clear(reset: true): Graphics;
  /** 0 or 1 where there is one bit a pixel, `#rgb` where there are colours. */
  setColor(colour: number | string): Graphics;
  setFont(name: string): Graphics;
  /** `\n` begins a new line at the same `x`. */
  drawString(text: string, x: number, y: number): Graphics;
  /** Both corners are filled. */
  fillRect(x1: number, y1: number, x2: number, y2: number): Graphics;
  drawImage(image: string, x: number, y: number, options: { scale: number }): Graphics;
  flip(): void;
}

/** A port that is not the console: its characters go to `data`. */
declare interface SerialPort {
  on(event: "data", callback: (text: string) => void): void;
  /** Adds CR LF. */
  println(text: string): void;
}

/** A promise of the interpreter. What is rejected by the radio is a text, no Error. */
declare interface Pledge<T> {
  then<R>(done: (value: T) => R | Pledge<R>): Pledge<R>;
  catch(failed: (reason: unknown) => void): Pledge<void>;
}
/** A value of a peer, by a link that this board has made. Reads no more than the first part of it, 52 bytes (S140: 130), and writes as much as fits a packet, 50 (128). */
declare interface RemoteCharacteristic {
  uuid: string;
  readValue(): Pledge<{ buffer: ArrayBuffer }>;
  writeValue(data: Uint8Array): Pledge<void>;
}
declare interface RemoteService {
  getCharacteristics(): Pledge<RemoteCharacteristic[]>;
  /** `undefined` for what isn't there. */
  getCharacteristic(uuid: string): Pledge<RemoteCharacteristic | undefined>;
}
/** A link that this board has made. */
declare interface RemoteServer {
  device: { on(event: "gattserverdisconnected", callback: () => void): void };
  /** `undefined` for what isn't there. */
  getPrimaryService(uuid: string): Pledge<RemoteService | undefined>;
  /** Throws where there is no link any more, or a task is under way; the link ends all the same. */
  disconnect(): Pledge<unknown>;
}
/** Values that this board offers, by UUID, in their service. `value` is kept, and read again at each restart of the stack. */
declare interface OfferedServices {
  [service: string]: {
    [characteristic: string]: {
      value: Uint8Array;
      maxLen: number;
      readable: boolean;
      writable?: boolean;
      onWrite?: (event: { data: ArrayBuffer }) => void;
    };
  };
}

declare const Serial1: SerialPort;
declare const Bluetooth: SerialPort;
declare const USB: SerialPort;
declare const NRF: {
  on(event: "disconnect", callback: () => void): void;
  /** A central has connected: `aa:bb:cc:dd:ee:ff random`. */
  on(event: "connect", callback: (address: string) => void): void;
  /** Ends the link that a central has made. */
  disconnect(): void;
  /** Times in ms. One task at a time, for all links. */
  connect(address: string, options: { minInterval: number; maxInterval: number }): Pledge<RemoteServer>;
  /** The first call takes effect at once, each later one by a restart of the stack. `uart`: the console, for whoever connects. */
  setServices(services: OfferedServices | undefined, options: { uart: boolean }): void;
  updateServices(services: OfferedServices): void;
  setSecurity(options: { pair: boolean }): void;
  sleep(): void;
  wake(): void;
  setAdvertising(data: Uint8Array | object, options: object): void;
  setAddress(address: string): void;
  /** Volts. */
  getBattery(): number;
  setTxPower(dBm: number): void;
  setScan(callback: ((device: Advertisement) => void) | undefined, options: object): void;
  /** Of the radio stack: it sends on as before, and the time it takes is missing from the clock. */
  restart(): void;
  getSecurityStatus(): { connected: boolean };
};
declare const AES: { encrypt(message: Uint8Array, key: Uint8Array, options: { mode: "ECB" }): ArrayBuffer };
declare const E: {
  /** `kill`: the script is about to end, by `reset()` or `load()`. */
  on(event: "kill", callback: () => void): void;
  /** The chip resets itself when the main loop does not idle for so long. */
  enableWatchdog(seconds: number): void;
  hwRand(): number;
  CRC32(data: Uint8Array | ArrayBuffer | string): number;
  sum(data: Uint8Array | number[]): number;
  toString(data: Uint8Array): string;
  /** `force`: connections don't move it any more. */
  setConsole(port: SerialPort | string | null, options?: { force: boolean }): void;
  getErrorFlags(): string[];
  /** Percent of the battery, where the interpreter knows its curve. */
  getBattery(): number;
  /** A function that runs machine code: `code` from byte `offset` on, plus 1 for Thumb. */
  nativeCall(offset: number, signature: "int(int)" | "int(int,int)", code: string): (first: number, second?: number) => number;
  /** Where the bytes of `data` lie, as long as nothing moves them; 0 where they don't lie in one piece. */
  /** Bytes of a string of one byte a character. */
  toArrayBuffer(text: string): ArrayBuffer;
  getAddressOf(data: Uint8Array | string, flat: true): number;
};
declare const process: { memory(gc?: boolean): { flash_code_start?: number }; env: { SOFTDEVICE?: number } };
declare const BTN: unknown;
declare const LED1: Pin;
declare const LED2: Pin;
declare const LED3: Pin;
declare const Pixl: { setLCDPower(on: boolean): void };
declare const Bangle: {
  /** Back-light and display. */
  setLCDPower(on: boolean): void;
  /** While it is locked the touch screen sleeps, and a press of the button does no more than wake it. */
  setLocked(locked: boolean): void;
  /** Timeouts in ms: so long after the last press the watch does it by itself. */
  setOptions(options: {
    wakeOnTwist: boolean;
    wakeOnTouch: boolean;
    wakeOnFaceUp: boolean;
    wakeOnDoubleTap: boolean;
    lockTimeout: number;
    lcdPowerTimeout: number;
    backlightTimeout: number;
  }): void;
  on(event: "lock", callback: (locked: boolean) => void): void;
};
declare const g: Graphics;

declare function require(name: "crypto"): { SHA256(message: Uint8Array): ArrayBuffer };
declare function require(name: "Flash"): {
  read(length: number, address: number): Uint8Array;
  write(data: Uint8Array, address: number): void;
  erasePage(address: number): void;
};
declare function require(name: "Storage"): { read(file: string): string | undefined };
/** Of several pins the last one takes the lowest bit. */
declare function digitalWrite(pins: Pin | Pin[], value: number): void;
declare function digitalRead(pin: unknown): number;
/** Of the pin called so; 0 to 1. */
declare function analogRead(pin: string): number;
declare function print(text: string): void;
/** Base64. */
declare function atob(text: string): string;
declare function btoa(data: Uint8Array): string;
/** Begins the script anew. */
declare function load(): void;
declare function getTime(): number;
declare function setTime(seconds: number): void;
declare function setTimeout(callback: () => void, milliseconds: number): number;
declare function clearTimeout(id: number): void;
declare function setWatch(
  callback: (event: { time: number; lastTime: number }) => void,
  pin: unknown,
  options: { edge: "rising" | "falling"; repeat: true; debounce: number },
): void;
declare const global: { [name: string]: unknown };
