import { BARE_EVENT } from "../radio-advertising.ts";
import { ERROR } from "../radio-core.ts";
import { ArgumentError, parseUuid, type Uuid, uuidText } from "../radio-packets.ts";
import type { RadioScanner } from "../radio-scanning.ts";
import { BleTasks, type Task } from "./ble-tasks.ts";
import type { BoardClientLink, ClientRadio } from "./board-client-link.ts";
import type { GattObjects } from "./gatt-objects.ts";

export type ScriptObject = Record<string, unknown>;

/** What making links needs of the radio. */
export interface CentralRadio extends ClientRadio {
  readonly scanner: RadioScanner;
  readonly advertisesNow: boolean;
  /** Of the link that a central has made to this board. */
  readonly peripheralHandle: number | undefined;
  bonding(state: "request" | "start" | "success" | "fail"): void;
  /** A link that the board had made is gone: a restart may have waited for that. */
  centralLinkEnded(): void;
}

/**
 * What objects take, variables of 13 bytes. Source: objects of the same shape on the real interpreter, Espruino 2v29 (device with its address, server, service
 * and characteristic with a long UUID; a value without its bytes).
 */
export const BLOCKS = { DEVICE: 7, SERVER: 11, SERVICE: 19, CHARACTERISTIC: 49, VALUE: 11 } as const;
/** What one event of the interpreter's queue holds at least, and its header of kind and number: IOEVENT_MAX_LEN. */
const EVENT_BYTES = 64;
const EVENT_HEADER = 3;

/** What all procedures of a board that is a central share: its links, the one task, the way into the main loop. */
export class ClientContext {
  /** By Espruino's index. */
  readonly links: (BoardClientLink | undefined)[];
  readonly tasks: BleTasks;
  private held = 0;
  /** Undefined without a script. */
  objectsNow: GattObjects | undefined;

  constructor(readonly radio: CentralRadio) {
    this.links = Array.from({ length: radio.host.facts.gatt.centralLinks }, () => undefined);
    this.tasks = new BleTasks(() => this.objects);
  }

  get objects(): GattObjects {
    if (!this.objectsNow) throw new Error("radio: this board has no script that could connect");
    return this.objectsNow;
  }

  /** Objects that the script has of its links: they count until the last link has ended, whether or not the script still has them. */
  hold(blocks: number): void {
    this.held += blocks;
    this.objectsNow?.hold(blocks);
  }

  release(): void {
    this.hold(-this.held);
  }

  /** Runs in the main loop, from the input queue. */
  queue(run: () => void, bytes = 0): void {
    this.radio.host.call(() => this.guard(run), [], BARE_EVENT + bytes);
  }

  /** The same with as much of a value as an event holds. */
  queueBytes(value: Uint8Array, run: (bytes: Uint8Array) => void): void {
    const room = Math.max(EVENT_BYTES, this.radio.host.facts.gatt.mtu + EVENT_HEADER) - EVENT_HEADER;
    const bytes = value.slice(0, room);
    this.queue(() => run(bytes), bytes.length);
  }

  /** What a call refuses becomes an exception of the script. */
  guard<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof ArgumentError) this.radio.host.throwError(error.message, error.type);
      throw error;
    }
  }

  /** The promise is rejected with a text, not with an Error. */
  fail(task: Task, text: string): void {
    this.tasks.complete(task, false, text);
  }

  refuse(task: Task, code: number): void {
    this.fail(task, this.radio.errorText(code));
  }

  /** One request of the client. Without a link, or while another request is under way, the task fails. */
  ask(task: Task, link: BoardClientLink | undefined, request: Uint8Array, done: (answer: Uint8Array) => void): void {
    if (!link) this.fail(task, "Not connected");
    else if (!link.link?.connected) this.refuse(task, ERROR.INVALID_CONN_HANDLE);
    else if (!link.bearer.request(request, done)) this.refuse(task, ERROR.BUSY);
  }

  uuidOf(value: unknown): Uuid {
    const uuid = parseUuid(value, false);
    if (!this.radio.services.uuids.add(uuid)) throw new ArgumentError("Too many custom UUIDs");
    return uuid;
  }

  /** As the interpreter prints a UUID that it has found; one that the stack doesn't know has no name. Source: bleUUIDToStr. */
  nameOf(uuid: Uuid): string {
    if (uuid.length === 2) return `0x${uuidText(uuid)}`;
    return this.radio.services.uuids.knows(uuid) ? uuidText(uuid) : "0x0000[vendor]";
  }

  linkOf(server: ScriptObject | undefined): BoardClientLink | undefined {
    return server?.handle === undefined ? undefined : this.links.find((link) => link?.handle === server.handle);
  }

  linkOfService(service: ScriptObject | undefined): BoardClientLink | undefined {
    return this.linkOf((service?.device as ScriptObject | undefined)?.gatt as ScriptObject | undefined);
  }

  linkOfCharacteristic(characteristic: ScriptObject): BoardClientLink | undefined {
    return this.linkOfService(characteristic.service as ScriptObject | undefined);
  }

  /** The stack's number for a link that is about to be made: the first that is free. */
  freeHandle(): number {
    const taken = new Set([this.radio.peripheralHandle, ...this.links.map((one) => one?.handle)]);
    let handle = 0;
    while (taken.has(handle)) handle += 1;
    return handle;
  }
}
