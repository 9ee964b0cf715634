import type { BoardCore } from "./board-core.ts";
import { fromByteString } from "./byte-arguments.ts";
import { parseJson } from "./json.ts";
import { printValue, TO_JS } from "./printer.ts";

const ACK = "\x06";
const NAK = "\x15";

// First two bytes of a packet, after DLE SOH: type in the upper three bits, length in the lower thirteen.
const SIZE_MASK = 0x1fff;
const RESPONSE = 0x0000;
const EVAL = 0x2000;
const EVENT = 0x4000;
const FILE_SEND = 0x6000;
const DATA = 0x8000;
const FILE_RECEIVE = 0xa000;

const RECEIVED_PIECE = 1024;
const FILE_TIMEOUT_MS = 10_000;

export interface PacketHost {
  core: BoardCore;
  /** Evaluates one expression, without what may follow it; undefined when it threw. */
  evaluateExpression(source: string): { value: unknown } | undefined;
  checkErrors(): void;
  /** Calls the handlers of an event of `E`; false if there are none. */
  fireE(event: string, argument: unknown): boolean;
}

interface Upload {
  name: string;
  size: number;
  offset: number;
  timer: number;
}

/** Binary packets of the console, release 2v25 and later. Source: Espruino 2v29, src/jsinteractive.c; README_Protocol.md. Compressed uploads are missing. */
export class PacketReceiver {
  private header: number[] = [];
  private payload = "";
  private receiving = false;
  private timer = 0;
  private upload: Upload | undefined;

  constructor(private readonly host: PacketHost) {}

  get active(): boolean {
    return this.receiving;
  }

  /** DLE SOH was received. */
  start(): void {
    const { core } = this.host;
    this.receiving = true;
    this.header = [];
    this.payload = "";
    this.timer = core.timers.add(
      () => {
        this.reply(NAK);
        this.receiving = false;
      },
      core.atLeast(26) ? 5000 : 1000,
      { internal: true },
    );
  }

  /** A reset ends what was under way. */
  clear(): void {
    this.receiving = false;
    this.upload = undefined;
  }

  byte(value: number): void {
    if (this.header.length < 2) {
      if (this.header.length === 0) this.host.core.console.silenceOver();
      this.header.push(value);
      if (this.header.length < 2 || (this.word & SIZE_MASK) > 0) return;
    } else {
      this.payload += String.fromCharCode(value);
      if (this.payload.length < (this.word & SIZE_MASK)) return;
    }
    this.host.core.timers.remove(this.timer);
    this.receiving = false;
    this.process(this.word & ~SIZE_MASK, this.payload);
  }

  private get word(): number {
    return this.header[0]! * 256 + this.header[1]!;
  }

  private reply(text: string): void {
    this.host.core.console.send(text);
  }

  /** A packet of the board's own. Each LF in it goes out as CR LF, though its length counts one. */
  private send(type: number, data: string): void {
    const word = type | data.length;
    this.reply("\x10\x01" + String.fromCharCode(word >> 8, word & 255) + data.replaceAll("\n", "\r\n"));
  }

  private process(type: number, payload: string): void {
    if (type === EVAL) this.evaluate(payload);
    else if (type === EVENT) {
      const object = this.parse(payload);
      this.reply(object && this.host.fireE("packet", object) ? ACK : NAK);
    } else if (type === FILE_RECEIVE) this.sendFile(this.parse(payload));
    else if (type === FILE_SEND) this.reply(this.openUpload(this.parse(payload)) ? ACK : NAK);
    else if (type === DATA) this.reply(this.write(payload) ? ACK : NAK);
    else this.reply(NAK);
  }

  private evaluate(source: string): void {
    const result = this.host.evaluateExpression(source);
    if (!result) {
      this.host.core.console.removeLine();
      this.reply(NAK);
      this.host.checkErrors();
      return;
    }
    this.reply(ACK);
    this.send(RESPONSE, printValue(this.host.core.realm, result.value, TO_JS));
  }

  private parse(payload: string): Record<string, unknown> | undefined {
    const { realm } = this.host.core;
    try {
      const value = parseJson(realm, payload, true);
      return realm.isPlainObject(value) ? value : undefined;
    } catch (error) {
      if (!realm.isError(error)) throw error;
      this.host.core.console.removeLine();
      return undefined;
    }
  }

  private sendFile(request: Record<string, unknown> | undefined): void {
    const name = request?.fn;
    const file = typeof name === "string" && !request?.fs ? this.host.core.storage.read(name) : undefined;
    if (!file) {
      this.reply(NAK);
      return;
    }
    this.reply(ACK);
    for (let at = 0; at < file.length; at += RECEIVED_PIECE) this.send(DATA, String.fromCharCode(...file.subarray(at, at + RECEIVED_PIECE)));
    this.send(DATA, "");
  }

  private openUpload(request: Record<string, unknown> | undefined): boolean {
    this.closeUpload();
    if (!request || typeof request.fn !== "string" || !Number(request.s) || request.fs || request.c) return false;
    this.upload = { name: request.fn, size: Number(request.s), offset: 0, timer: this.uploadTimer() };
    return true;
  }

  private uploadTimer(): number {
    return this.host.core.timers.add(() => this.closeUpload(), FILE_TIMEOUT_MS, { internal: true });
  }

  private closeUpload(): void {
    if (this.upload) this.host.core.timers.remove(this.upload.timer);
    this.upload = undefined;
  }

  private write(payload: string): boolean {
    const { core } = this.host;
    const { upload } = this;
    if (!upload) return false;
    // What Storage throws here is reported, and the packet is acknowledged all the same, as on the board.
    core.attempt(() => core.storage.write(upload.name, fromByteString(payload), 0, upload.offset, upload.size));
    upload.offset += payload.length;
    const progress = core.realm.object({ l: payload.length, o: upload.offset, s: upload.size, fn: upload.name });
    if (upload.offset >= upload.size) this.closeUpload();
    else {
      core.timers.remove(upload.timer);
      upload.timer = this.uploadTimer();
    }
    if (core.atLeast(29)) this.host.fireE("packetUpload", progress);
    return true;
  }
}
