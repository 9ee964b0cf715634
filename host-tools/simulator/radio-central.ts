import { bytesOf } from "./byte-arguments.ts";
import { ATT, le16, pdu } from "./gatt/att.ts";
import { type BleTasks, TASK } from "./gatt/ble-tasks.ts";
import { BoardClientLink } from "./gatt/board-client-link.ts";
import { BoardConnector } from "./gatt/board-connector.ts";
import { BoardDiscovery } from "./gatt/board-discovery.ts";
import { BoardNotifications } from "./gatt/board-notifications.ts";
import { BLOCKS, type CentralRadio, ClientContext, type ScriptObject } from "./gatt/client-context.ts";
import { type GattCalls, GattObjects, type ScriptWorld } from "./gatt/gatt-objects.ts";
import { isAddress } from "./radio-address.ts";
import { ERROR } from "./radio-core.ts";
import { ArgumentError } from "./radio-packets.ts";
import { isPlainObject, typeName } from "./script-values.ts";
import type { Scheduled } from "./virtual-clock.ts";

/** Where Espruino reports what the stack answers. */
const DISCONNECT_LINE = 4535;
const REQUEST_MS = 2000;

/**
 * `NRF.connect`, `NRF.requestDevice` and what follows from them: links that the board makes, at most as many as its facts say, and one task at a time.
 * Source: Espruino after 2v29, libs/bluetooth/jswrap_bluetooth.c, libs/bluetooth/bluetooth_utils.c, targets/nrf5x/bluetooth.c.
 */
export class RadioCentral {
  /** Links made so far. */
  made = 0;
  private readonly context: ClientContext;
  private readonly connector: BoardConnector;
  private readonly notifications: BoardNotifications;
  private searching: Scheduled | undefined;
  private secondsBefore = 0;

  constructor(private readonly radio: CentralRadio) {
    this.context = new ClientContext(radio);
    this.connector = new BoardConnector(radio, (source) => this.timeoutMistaken(source));
    this.notifications = new BoardNotifications(this.context);
  }

  /** A fresh script's classes. */
  install(world: ScriptWorld): void {
    const { context, notifications } = this;
    const discovery = new BoardDiscovery(context);
    const calls: GattCalls = {
      connect: (server, options) => this.connect(server, options),
      disconnect: (server) => this.disconnect(server),
      startBonding: (server) => this.startBonding(server),
      securityStatus: (server) => this.securityStatus(server),
      primaryServices: (server, uuid, single) => discovery.services(server, uuid, single),
      characteristics: (service, uuid, single) => discovery.characteristics(service, uuid, single),
      read: (characteristic) => this.read(characteristic),
      write: (characteristic, data) => this.write(characteristic, data),
      startNotifications: (characteristic) => notifications.start(characteristic),
      stopNotifications: (characteristic) => notifications.stop(characteristic),
    };
    context.objectsNow = new GattObjects(world, calls, (run) => context.guard(run));
  }

  get connecting(): boolean {
    return this.connector.running;
  }

  get linked(): boolean {
    return this.context.links.some((link) => link !== undefined);
  }

  /** Seconds of links, those that are up included, each counted. */
  get seconds(): number {
    const { now } = this.radio.host.clock;
    return this.context.links.reduce((so, link) => so + (link?.link ? now - link.link.since : 0), this.secondsBefore);
  }

  freeHandle(): number {
    return this.context.freeHandle();
  }

  makeDevice(plain: ScriptObject): object {
    return this.context.objectsNow?.make("BluetoothDevice", plain) ?? this.radio.host.makeObject(plain);
  }

  // ---- what the script calls

  /** `NRF.connect` */
  connectTo(address: unknown, options: unknown): unknown {
    const { objects } = this.context;
    return this.connect(objects.serverOf(objects.make("BluetoothDevice", { id: address })), options);
  }

  /** `NRF.requestDevice` */
  requestDevice(options: unknown): unknown {
    if (options !== undefined && !isPlainObject(options)) throw new ArgumentError(`Expecting Object, got ${typeName(options)}`, "TypeError");
    const filters = options?.filters;
    if (!Array.isArray(filters)) throw new ArgumentError(`requestDevice expecting an array of filters, got ${typeName(filters)}`, "TypeError");
    const given = Number(options?.timeout);
    const { host, scanner } = this.radio;
    const { tasks } = this.context;
    const promise = tasks.begin(TASK.REQUEST_DEVICE, undefined);
    const end = (ok: boolean, value: unknown) => {
      if (tasks.current !== TASK.REQUEST_DEVICE) return;
      scanner.set(undefined, undefined);
      this.searching?.cancel();
      tasks.complete(TASK.REQUEST_DEVICE, ok, value);
    };
    const over = () => this.context.queue(() => end(false, "No device found matching filters"));
    this.searching = host.clock.after((given > 0 ? given : REQUEST_MS) / 1000, over);
    scanner.set((device: unknown) => end(true, device), options);
    return promise;
  }

  private connect(server: ScriptObject, options: unknown): unknown {
    const { context } = this;
    const address = (server.device as ScriptObject | undefined)?.id;
    if (typeof address !== "string" || !isAddress(address))
      throw new ArgumentError("Expecting device with a mac address of the form aa:bb:cc:dd:ee:ff", "TypeError");
    if (server.connected) return context.objects.resolved(server);
    const promise = context.tasks.begin(TASK.CONNECT, server);
    // When the script has returned, so that it is less likely to be connected in the middle of its work.
    context.objects.enqueue(() => this.startConnecting(address, isPlainObject(options) ? options : {}));
    return promise;
  }

  private disconnect(server: ScriptObject): unknown {
    const { context } = this;
    const { tasks } = context;
    if (server.handle === undefined) {
      if (tasks.current !== TASK.CONNECT) throw new ArgumentError("Not connected");
      context.fail(TASK.CONNECT, "Connection cancelled");
      this.connector.stop();
      return context.objects.resolved(server);
    }
    let promise: unknown;
    let problem: unknown;
    try {
      promise = tasks.begin(TASK.DISCONNECT, server);
    } catch (error) {
      // The interpreter goes on after an exception of its own: the link ends all the same.
      problem = error;
    }
    const link = context.linkOf(server);
    const code = !link ? ERROR.INVALID_CONN_HANDLE : link.link?.disconnect("central") ? 0 : ERROR.INVALID_STATE;
    if (problem) throw problem;
    this.radio.check({ code, line: DISCONNECT_LINE });
    return promise;
  }

  private startBonding(server: ScriptObject): unknown {
    const { context, radio } = this;
    const { tasks } = context;
    const link = context.linkOf(server);
    const promise = tasks.begin(TASK.BONDING, server);
    if (!link) context.fail(TASK.BONDING, "Not connected");
    else {
      radio.bonding("request");
      radio.bonding("start");
      link.link?.pair("central", (bonded) => {
        radio.bonding(bonded ? "success" : "fail");
        context.queue(() => tasks.current === TASK.BONDING && tasks.complete(TASK.BONDING, bonded, bonded ? undefined : "Bonding failed"));
      });
    }
    return promise;
  }

  private securityStatus(server: ScriptObject): unknown {
    const { context } = this;
    const link = context.linkOf(server)?.link;
    if (!link) return context.objects.object({ advertising: this.radio.advertisesNow, connected: false });
    return context.objects.object({ connected: link.connected, encrypted: link.encrypted, mitm_protected: false, bonded: link.encrypted });
  }

  /** The beginning of a value: what one answer holds. There is no way to ask for the rest. */
  private read(characteristic: ScriptObject): unknown {
    const { context } = this;
    const { tasks } = context;
    const promise = tasks.begin(TASK.READ, characteristic);
    const request = pdu(ATT.READ_REQUEST, le16(Number(characteristic.handle_value)));
    context.ask(TASK.READ, context.linkOfCharacteristic(characteristic), request, (answer) => {
      // An error is not looked at: its event has no data, and so has the value.
      const value = answer[0] === ATT.READ_RESPONSE ? answer.slice(1) : new Uint8Array(0);
      context.queueBytes(value, (bytes) => {
        if (tasks.current !== TASK.READ) return;
        const view = context.objects.dataView(bytes);
        if (!characteristic.value) context.hold(BLOCKS.VALUE + Math.ceil(bytes.length / this.radio.host.facts.variables.bytes));
        characteristic.value = view;
        tasks.complete(TASK.READ, true, view);
      });
    });
    return promise;
  }

  /** A command where the peer takes one; what it answers to a request is not looked at. */
  private write(characteristic: ScriptObject, data: unknown): unknown {
    if (data === undefined) return undefined;
    const { context } = this;
    const { tasks } = context;
    const bytes = bytesOf(data);
    const promise = tasks.begin(TASK.WRITE, undefined);
    const link = context.linkOfCharacteristic(characteristic);
    const command = Boolean((characteristic.properties as ScriptObject | undefined)?.writeWithoutResponse);
    const request = pdu(command ? ATT.WRITE_COMMAND : ATT.WRITE_REQUEST, le16(Number(characteristic.handle_value)), bytes);
    const done = () => context.queue(() => tasks.current === TASK.WRITE && tasks.complete(TASK.WRITE, true));
    if (link && bytes.length > link.bearer.mtu - 3) context.refuse(TASK.WRITE, ERROR.DATA_SIZE);
    else if (link && command) link.bearer.command(request, done);
    else context.ask(TASK.WRITE, link, request, done);
    return promise;
  }

  // ---- what the stack does

  private startConnecting(address: string, options: ScriptObject): void {
    const { context, radio } = this;
    const end = new BoardClientLink(radio, {
      opened: (link) => this.opened(link),
      ended: (link, reason) => this.ended(link, reason),
      notified: (link, handle, value) => this.notifications.came(link, handle, value),
      bonding: (state) => radio.bonding(state),
    });
    const code = this.connector.start(address, options, end, context.links.includes(undefined));
    if (code !== 0) context.guard(() => context.refuse(TASK.CONNECT, code));
  }

  private opened(link: BoardClientLink): void {
    const { context } = this;
    const { tasks, links } = context;
    const index = links.indexOf(undefined);
    if (!this.connector.running || index < 0) {
      // Cancelled in the moment in which it succeeded.
      link.link?.disconnect("central");
      return;
    }
    this.connector.stop();
    link.handle = context.freeHandle();
    links[index] = link;
    this.made += 1;
    link.bearer.exchangeMtu(() => undefined);
    context.queue(() => {
      const server = tasks.current === TASK.CONNECT ? tasks.info : undefined;
      if (server) {
        link.server = server;
        context.hold(BLOCKS.DEVICE + BLOCKS.SERVER);
        server.connected = true;
        server.handle = link.handle;
      }
      tasks.complete(TASK.CONNECT, true, server);
    });
  }

  /** Whichever link it was: a task that is under way for any link fails. Source: BLE_GAP_EVT_DISCONNECTED. */
  private ended(link: BoardClientLink, reason: number): void {
    const { context } = this;
    const { tasks, links } = context;
    const index = links.indexOf(link);
    if (index < 0) return;
    this.secondsBefore += this.radio.host.clock.now - (link.link?.since ?? 0);
    links[index] = undefined;
    context.queue(() => {
      if (tasks.current === TASK.DISCONNECT) tasks.complete(TASK.DISCONNECT, true, tasks.info);
      this.notifications.forgetLink(index);
      const { server } = link;
      const objects = context.objectsNow;
      if (!this.linked) context.release();
      if (!server || !objects) return;
      server.connected = false;
      delete server.handle;
      objects.enqueue(() => objects.fire(server.device as object, "gattserverdisconnected", [reason]));
    });
    if (tasks.ofALink) context.queue(() => tasks.current !== TASK.NONE && context.fail(tasks.current, "Disconnected"));
    this.radio.centralLinkEnded();
  }

  /** True: Espruino takes any time limit for the one of what it waits for. Source: BLE_GAP_EVT_TIMEOUT. */
  timeoutMistaken(source: number): boolean {
    const { tasks } = this.context;
    if (tasks.current !== TASK.CONNECT && tasks.current !== TASK.BONDING) return false;
    this.context.queue(() => tasks.complete(tasks.current, false, `Connection Timeout (${source})`));
    return true;
  }

  /** The script starts anew: tasks are forgotten, links end. Source: jswrap_ble_kill. */
  reset(): void {
    this.searching?.cancel();
    this.tasks.forget();
    this.notifications.forget();
    this.context.release();
    this.context.objectsNow = undefined;
    for (const link of this.context.links) link?.link?.disconnect("central");
  }

  /** The stack is shut down. A task that waits for it waits for ever. */
  stackDown(): void {
    this.connector.forget();
  }

  powerOff(): void {
    this.searching?.cancel();
    this.stackDown();
    const { links } = this.context;
    for (const link of links) link?.vanish();
    links.fill(undefined);
  }

  private get tasks(): BleTasks {
    return this.context.tasks;
  }
}
