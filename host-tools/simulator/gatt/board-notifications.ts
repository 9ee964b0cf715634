import { ATT, le16, pdu, readLe16, sameBytes, TYPE } from "./att.ts";
import { TASK } from "./ble-tasks.ts";
import type { BoardClientLink } from "./board-client-link.ts";
import type { ClientContext, ScriptObject } from "./client-context.ts";

/** The bit that tells notifications of one link from those of the other: BLEP_CENTRAL_NOTIFICATION_CONN_SHIFT. */
const LINK_BIT = 15;

/** `startNotifications`, and what comes of it. Source: Espruino after 2v29, jswrap_ble_BluetoothRemoteGATTCharacteristic_startNotifications, jsble_central_characteristicNotify. */
export class BoardNotifications {
  /** Characteristics that notifications are for, by handle and link. */
  private readonly wanted = new Map<number, ScriptObject>();

  constructor(private readonly context: ClientContext) {}

  start(characteristic: ScriptObject): object {
    const { tasks } = this.context;
    this.wanted.set(this.keyOf(characteristic), characteristic);
    if (characteristic.handle_cccd !== undefined) {
      const promise = tasks.begin(TASK.NOTIFY, characteristic);
      this.configure(characteristic, true);
      return promise;
    }
    const promise = tasks.begin(TASK.FIND_AND_NOTIFY, characteristic);
    const next = Math.max(Number(characteristic.handle_value), Number(characteristic.handle_decl)) + 1;
    this.find(characteristic, next, next + 1);
    return promise;
  }

  /** No task and no promise of its own: what is answered is the promise of another task, if one runs. */
  stop(characteristic: ScriptObject): object | undefined {
    this.wanted.delete(this.keyOf(characteristic));
    const { promise } = this.context.tasks;
    this.configure(characteristic, false);
    return promise;
  }

  /** The stack has got a value; its event is processed before anything else is. */
  came(link: BoardClientLink, handle: number, value: Uint8Array): void {
    const { context } = this;
    const key = handle | (context.links.indexOf(link) << LINK_BIT);
    context.queueBytes(value, (bytes) => {
      const characteristic = this.wanted.get(key);
      if (!characteristic) return;
      characteristic.value = context.objects.dataView(bytes);
      context.objects.fire(characteristic, "characteristicvaluechanged", [context.objects.object({ target: characteristic })]);
    });
  }

  forget(): void {
    this.wanted.clear();
  }

  forgetLink(index: number): void {
    for (const key of [...this.wanted.keys()]) if (key >> LINK_BIT === index) this.wanted.delete(key);
  }

  private keyOf(characteristic: ScriptObject): number {
    return Number(characteristic.handle_value) | (this.context.links.indexOf(this.context.linkOfCharacteristic(characteristic)) << LINK_BIT);
  }

  /** The client configuration is looked for right behind the value, and one further; not anywhere else. */
  private find(characteristic: ScriptObject, handle: number, last: number): void {
    const { context } = this;
    const { tasks } = context;
    const request = pdu(ATT.FIND_INFORMATION_REQUEST, le16(handle), le16(handle));
    context.ask(TASK.FIND_AND_NOTIFY, context.linkOfCharacteristic(characteristic), request, (answer) => {
      if (tasks.current !== TASK.FIND_AND_NOTIFY) return;
      const isIt = answer[0] === ATT.FIND_INFORMATION_RESPONSE && answer[1] === 1 && sameBytes(answer.subarray(4, 6), TYPE.CONFIGURATION);
      if (!isIt && handle < last) return this.find(characteristic, last, last);
      context.queue(() => {
        if (!isIt) {
          context.fail(TASK.FIND_AND_NOTIFY, "CCCD Handle not found");
          return;
        }
        characteristic.handle_cccd = readLe16(answer, 2);
        tasks.switchTo(TASK.NOTIFY);
        this.configure(characteristic, true);
      });
    });
  }

  private configure(characteristic: ScriptObject, enable: boolean): void {
    const { context } = this;
    const { tasks } = context;
    const link = context.linkOfCharacteristic(characteristic);
    if (link && characteristic.handle_cccd === undefined) {
      context.fail(TASK.NOTIFY, "handle_cccd not set");
      return;
    }
    const properties = characteristic.properties as ScriptObject | undefined;
    const bits = !enable ? 0 : properties?.notify ? 1 : properties?.indicate ? 2 : 0;
    const request = pdu(ATT.WRITE_REQUEST, le16(Number(characteristic.handle_cccd)), le16(bits));
    // Whether the peer has agreed is not looked at.
    context.ask(TASK.NOTIFY, link, request, () => context.queue(() => tasks.current === TASK.NOTIFY && tasks.complete(TASK.NOTIFY, true)));
  }
}
