import type { Uuid } from "../radio-packets.ts";
import { ATT, le16, pdu, readLe16, sameBytes, TYPE } from "./att.ts";
import { TASK } from "./ble-tasks.ts";
import type { BoardClientLink } from "./board-client-link.ts";
import { BLOCKS, type ClientContext, type ScriptObject } from "./client-context.ts";
import { propertiesOf } from "./gatt-table.ts";

/** The stack is busy with something else: Espruino asks again so much later, seconds. */
const RETRY_SECONDS = 0.5;
/** Queue bytes of what the stack has found: ble_gattc_service_t, ble_gattc_char_t. */
const SERVICE_BYTES = 8;
const CHARACTERISTIC_BYTES = 10;
const LAST_HANDLE = 0xffff;
/** An entry without its UUID's bytes; one with a long UUID is 14 longer than one with a short. */
const LONGER = 14;

/** Finds services and characteristics, all of them; a filter looks at what has been found. Source: Espruino after 2v29, BLE_GATTC_EVT_PRIM_SRVC_DISC_RSP and _CHAR_DISC_RSP. */
export class BoardDiscovery {
  private found: ScriptObject[] | undefined;
  private filter: Uuid | undefined;

  constructor(private readonly context: ClientContext) {}

  services(server: ScriptObject, uuid: unknown, single: boolean): object {
    const { context } = this;
    const promise = context.tasks.begin(TASK.SERVICE, server.device as ScriptObject);
    this.begin(uuid, single);
    this.askServices(server);
    return promise;
  }

  characteristics(service: ScriptObject, uuid: unknown, single: boolean): object {
    const { context } = this;
    const promise = context.tasks.begin(TASK.CHARACTERISTIC, service);
    this.begin(uuid, single);
    const link = context.linkOfService(service);
    const end = Number(service.end_handle);
    const request = byType(Number(service.start_handle), end);
    context.ask(TASK.CHARACTERISTIC, link, request, (answer) => this.characteristicsCame(link!, answer, end));
    return promise;
  }

  /** A UUID that is none leaves the task unfinished for ever, as on the board. */
  private begin(uuid: unknown, single: boolean): void {
    this.filter = single ? this.context.uuidOf(uuid) : undefined;
    this.found = undefined;
  }

  private askServices(server: ScriptObject): void {
    const { context } = this;
    const link = context.linkOf(server);
    if (link?.link?.connected && link.bearer.busy) {
      const { host } = context.radio;
      // The exchange of the MTU takes two connection events: who asks at once waits half a second.
      host.clock.after(RETRY_SECONDS, () => host.call(() => context.guard(() => this.askServices(server)), [], 0));
      return;
    }
    context.ask(TASK.SERVICE, link, byGroup(1), (answer) => this.servicesCame(link!, answer));
  }

  private servicesCame(link: BoardClientLink, answer: Uint8Array): void {
    const { context } = this;
    const { tasks } = context;
    if (tasks.current !== TASK.SERVICE) return;
    const entries = entriesOf(answer, ATT.READ_BY_GROUP_RESPONSE, 6);
    for (const entry of entries) {
      const uuid = entry.slice(4);
      const handles = { start_handle: readLe16(entry, 0), end_handle: readLe16(entry, 2) };
      if (this.wanted(uuid))
        context.queue(() => {
          const plain = { device: tasks.info, uuid: context.nameOf(uuid), isPrimary: true, ...handles };
          this.keep(context.objects.make("BluetoothRemoteGATTService", plain), BLOCKS.SERVICE);
        }, SERVICE_BYTES);
    }
    const last = entries.length > 0 ? readLe16(entries.at(-1)!, 2) : LAST_HANDLE;
    if (last < LAST_HANDLE && link.bearer.request(byGroup(last + 1), (next) => this.servicesCame(link, next))) return;
    context.queue(() => tasks.complete(TASK.SERVICE, true, this.result()));
  }

  private characteristicsCame(link: BoardClientLink, answer: Uint8Array, end: number): void {
    const { context } = this;
    const { tasks } = context;
    if (tasks.current !== TASK.CHARACTERISTIC) return;
    const entries = entriesOf(answer, ATT.READ_BY_TYPE_RESPONSE, 7);
    for (const entry of entries) {
      const uuid = entry.slice(5);
      const handles = { handle_value: readLe16(entry, 3), handle_decl: readLe16(entry, 0) };
      const properties = propertiesOf(entry[2]!);
      if (this.wanted(uuid))
        context.queue(() => {
          const plain = { service: tasks.info, uuid: context.nameOf(uuid), ...handles, properties: context.objects.object(properties) };
          this.keep(context.objects.make("BluetoothRemoteGATTCharacteristic", plain), BLOCKS.CHARACTERISTIC);
        }, CHARACTERISTIC_BYTES);
    }
    const last = entries.length > 0 ? readLe16(entries.at(-1)!, 3) : end;
    if (last < end && link.bearer.request(byType(last + 1, end), (next) => this.characteristicsCame(link, next, end))) return;
    context.queue(() => tasks.complete(TASK.CHARACTERISTIC, true, this.result()));
  }

  private wanted(uuid: Uuid): boolean {
    return !this.filter || sameBytes(uuid, this.filter);
  }

  private keep(object: ScriptObject, blocks: number): void {
    this.context.hold(blocks);
    this.found = [...(this.found ?? []), object];
  }

  /** Nothing found is no failure: the promise is fulfilled with undefined. */
  private result(): unknown {
    return this.filter ? this.found?.[0] : this.found && this.context.objects.array(this.found);
  }
}

function byGroup(start: number): Uint8Array {
  return pdu(ATT.READ_BY_GROUP_REQUEST, le16(start), le16(LAST_HANDLE), TYPE.PRIMARY_SERVICE);
}

function byType(start: number, end: number): Uint8Array {
  return pdu(ATT.READ_BY_TYPE_REQUEST, le16(start), le16(end), TYPE.CHARACTERISTIC);
}

/** The entries of an answer that has their length in its second byte; none if it is another answer, or they are too short to be any. */
function entriesOf(answer: Uint8Array, opcode: number, shortest: number): Uint8Array[] {
  const length = answer[1] ?? 0;
  if (answer[0] !== opcode || (length !== shortest && length !== shortest + LONGER)) return [];
  const entries: Uint8Array[] = [];
  for (let at = 2; at + length <= answer.length; at += length) entries.push(answer.subarray(at, at + length));
  return entries;
}
