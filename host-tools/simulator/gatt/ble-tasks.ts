import type { Deferred } from "../promises.ts";
import { ArgumentError } from "../radio-packets.ts";
import type { GattObjects } from "./gatt-objects.ts";

/** What the interpreter's Bluetooth can be busy with. The names are those of its messages; a missing separator in its table makes the last three odd. Source: Espruino after 2v29, BLETASK_STRINGS. */
export const TASK = {
  NONE: "NONE",
  REQUEST_DEVICE: "REQ_DEV",
  CONNECT: "CONNECT",
  DISCONNECT: "DISCONNECT",
  SERVICE: "SERVICE",
  CHARACTERISTIC: "CHAR",
  WRITE: "CHAR_WR",
  READ: "CHAR_RD",
  FIND_AND_NOTIFY: "CHAR_DESC_NOTIFY\nCHAR_NOTIFY",
  NOTIFY: "BOND",
  BONDING: "?",
} as const;
export type Task = (typeof TASK)[keyof typeof TASK];

/** Those that a lost link ends, whichever link it is: BLETASK_IS_CENTRAL. */
const OF_A_LINK: readonly Task[] = [
  TASK.CONNECT,
  TASK.DISCONNECT,
  TASK.SERVICE,
  TASK.CHARACTERISTIC,
  TASK.WRITE,
  TASK.READ,
  TASK.FIND_AND_NOTIFY,
  TASK.NOTIFY,
];

/** Variables of 13 bytes that a promise takes. Measured on the real interpreter. */
const PROMISE_BLOCKS = 9;

/** One task at a time for the whole radio. Source: Espruino after 2v29, bleNewTask, bleCompleteTask. */
export class BleTasks {
  current: Task = TASK.NONE;
  info: Record<string, unknown> | undefined;
  private deferred: Deferred | undefined;

  constructor(private readonly objects: () => GattObjects) {}

  get ofALink(): boolean {
    return OF_A_LINK.includes(this.current);
  }

  /** The promise of the task that runs; undefined if none does. */
  get promise(): object | undefined {
    return this.deferred?.promise;
  }

  /** @throws if another task is in progress */
  begin(task: Task, info: Record<string, unknown> | undefined): object {
    if (this.current !== TASK.NONE) throw new ArgumentError(`BLE task ${this.current} is already in progress`);
    this.deferred = this.objects().defer();
    this.objects().hold(PROMISE_BLOCKS);
    this.current = task;
    this.info = info;
    return this.deferred.promise;
  }

  switchTo(task: Task): void {
    this.current = task;
  }

  /** @throws if this is not the task that runs */
  complete(task: Task, ok: boolean, value?: unknown): void {
    if (task !== this.current) throw new ArgumentError(`BLE task completed that wasn't scheduled (${task}/${this.current})`, "InternalError");
    const { deferred } = this;
    if (deferred) this.objects().hold(-PROMISE_BLOCKS);
    this.forget();
    // The promise settles in the main loop, after what is in its queue.
    if (deferred) this.objects().enqueue(() => deferred[ok ? "resolve" : "reject"](value));
  }

  forget(): void {
    this.current = TASK.NONE;
    this.info = undefined;
    this.deferred = undefined;
  }
}
