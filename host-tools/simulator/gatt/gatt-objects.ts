import type { AnyFunction, Constructor, NarrowRealm } from "../narrow-realm.ts";
import type { Deferred, Promises } from "../promises.ts";
import type { ScriptEvents } from "../script-events.ts";

/** The script's world, as the radio needs it for objects with methods and for promises. A restart of the interpreter brings another. */
export interface ScriptWorld {
  realm: NarrowRealm;
  events: ScriptEvents;
  promises: Promises;
  /** Runs in the main loop. */
  enqueue(run: () => void): void;
  /** Variables that objects take, or (negative) give back. */
  hold(blocks: number): void;
  call(handler: unknown, args: unknown[], self: object): void;
}

type ScriptObject = Record<string, unknown>;

/** Calls that the script makes on these objects; `self` is the object. What is thrown becomes the script's exception. */
export interface GattCalls {
  connect(server: ScriptObject, options: unknown): unknown;
  disconnect(server: ScriptObject): unknown;
  startBonding(server: ScriptObject): unknown;
  securityStatus(server: ScriptObject): unknown;
  primaryServices(server: ScriptObject, uuid: unknown, single: boolean): unknown;
  characteristics(service: ScriptObject, uuid: unknown, single: boolean): unknown;
  read(characteristic: ScriptObject): unknown;
  write(characteristic: ScriptObject, data: unknown): unknown;
  startNotifications(characteristic: ScriptObject): unknown;
  stopNotifications(characteristic: ScriptObject): unknown;
}

/** The classes of Web Bluetooth that the interpreter has. Source: Espruino after 2v29, libs/bluetooth/jswrap_bluetooth.c. */
export class GattObjects {
  private readonly classes: Record<string, Constructor> = {};

  constructor(
    private readonly world: ScriptWorld,
    calls: GattCalls,
    /** Makes what a call refuses an exception of the script. */
    guard: <T>(run: () => T) => T,
  ) {
    const { realm } = world;
    const define = (name: string, methods: Record<string, AnyFunction>) => {
      const made = realm.nativeClass(() => undefined);
      this.classes[name] = made;
      realm.methods(made.prototype as object, methods);
      realm.define(name, made);
    };
    const self = (fn: (self: ScriptObject, ...args: unknown[]) => unknown): AnyFunction =>
      function (this: unknown, ...args: never[]) {
        return guard(() => fn(this as ScriptObject, ...args));
      };
    define("BluetoothDevice", {});
    define("BluetoothRemoteGATTServer", {
      connect: self((server, options) => calls.connect(server, options)),
      disconnect: self((server) => calls.disconnect(server)),
      startBonding: self((server) => calls.startBonding(server)),
      getSecurityStatus: self((server) => calls.securityStatus(server)),
      getPrimaryService: self((server, uuid) => calls.primaryServices(server, uuid, true)),
      getPrimaryServices: self((server) => calls.primaryServices(server, undefined, false)),
      setRSSIHandler: self(() => undefined),
    });
    define("BluetoothRemoteGATTService", {
      getCharacteristic: self((service, uuid) => calls.characteristics(service, uuid, true)),
      getCharacteristics: self((service) => calls.characteristics(service, undefined, false)),
    });
    define("BluetoothRemoteGATTCharacteristic", {
      readValue: self((characteristic) => calls.read(characteristic)),
      writeValue: self((characteristic, data) => calls.write(characteristic, data)),
      startNotifications: self((characteristic) => calls.startNotifications(characteristic)),
      stopNotifications: self((characteristic) => calls.stopNotifications(characteristic)),
    });
    const objects = this;
    Object.defineProperty(this.classes.BluetoothDevice!.prototype, "gatt", {
      get: realm.native(function (this: unknown) {
        return objects.serverOf(this as ScriptObject);
      }),
      configurable: true,
      enumerable: false,
    });
  }

  make(name: "BluetoothDevice" | "BluetoothRemoteGATTService" | "BluetoothRemoteGATTCharacteristic", plain: ScriptObject): ScriptObject {
    return Object.assign(Object.create(this.classes[name]!.prototype as object) as ScriptObject, plain);
  }

  /** `device.gatt`: made when it is first asked for, and then a property like others. */
  serverOf(device: ScriptObject): ScriptObject {
    const server = Object.create(this.classes.BluetoothRemoteGATTServer!.prototype as object) as ScriptObject;
    Object.assign(server, { device, connected: false });
    Object.defineProperty(device, "gatt", { value: server, writable: true, enumerable: true, configurable: true });
    return server;
  }

  array(items: unknown[]): unknown[] {
    return this.world.realm.array(items);
  }

  object(plain: ScriptObject): ScriptObject {
    return this.world.realm.object(plain);
  }

  dataView(bytes: Uint8Array): object {
    const { realm } = this.world;
    return new realm.intrinsics.DataView!(realm.arrayBuffer(bytes));
  }

  defer(): Deferred {
    return this.world.promises.defer();
  }

  /** A promise that is settled already. */
  resolved(value: unknown): object {
    const { promise, resolve } = this.defer();
    this.world.enqueue(() => resolve(value));
    return promise;
  }

  enqueue(run: () => void): void {
    this.world.enqueue(run);
  }

  hold(blocks: number): void {
    this.world.hold(blocks);
  }

  /** Calls the handlers of an event now, with the object as `this`. */
  fire(target: object, event: string, args: unknown[]): void {
    this.world.events.fire(target, event, args, (handler, all, self) => this.world.call(handler, all, self));
  }
}
