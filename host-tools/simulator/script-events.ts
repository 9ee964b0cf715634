import type { NarrowRealm } from "./narrow-realm.ts";

type Handler = (...args: unknown[]) => unknown;

/** `on`, `emit` and their like, on every object of the script. Source: Espruino 2v29, src/jswrap_object.c. */
export class ScriptEvents {
  private readonly handlers = new WeakMap<object, Map<string, Handler[]>>();

  private listener: ((target: object, event: string) => void) | undefined;

  /** Is told of each handler that comes. */
  listen(listener: (target: object, event: string) => void): void {
    this.listener = listener;
  }

  of(target: object, event: string): Handler[] {
    return this.handlers.get(target)?.get(event) ?? [];
  }

  on(target: object, event: string, handler: Handler, first = false): void {
    const events = this.handlers.get(target) ?? new Map<string, Handler[]>();
    this.handlers.set(target, events);
    const list = events.get(event) ?? [];
    events.set(event, first ? [handler, ...list] : [...list, handler]);
    this.listener?.(target, event);
  }

  /** Calls the handlers of an event now; `call` reports what they throw. True if there were any. */
  fire(target: object, event: string, args: unknown[], call: (handler: Handler, args: unknown[], self: object) => void): boolean {
    const list = this.of(target, event);
    for (const handler of list) call(handler, args, target);
    return list.length > 0;
  }

  install(realm: NarrowRealm, enqueue: (run: () => void) => void, call: (handler: Handler, args: unknown[], self: object) => void): void {
    const events = this;
    const add = (first: boolean) =>
      function (this: unknown, event: never, handler: never) {
        if (typeof handler !== "function" && typeof handler !== "string") throw realm.error("Function or String not supplied!");
        events.on(this as object, String(event), handler, first);
      };
    const methods: Record<string, (this: unknown, ...args: never[]) => unknown> = {
      on: add(false),
      addListener: add(false),
      prependListener: add(true),
      emit(this: unknown, event: never, ...args: never[]) {
        const self = this as object;
        // Whoever listens now is called, even if he stops listening before.
        const list = events.of(self, String(event));
        if (list.length > 0)
          enqueue(() => {
            for (const handler of list) call(handler, args, self);
          });
      },
      removeListener(this: unknown, event: never, handler: never) {
        const map = events.handlers.get(this as object);
        const left = map?.get(String(event))?.filter((one) => one !== handler);
        if (left) map?.set(String(event), left);
      },
      removeAllListeners(this: unknown, event: never) {
        if (event === undefined) events.handlers.delete(this as object);
        else events.handlers.get(this as object)?.delete(String(event));
      },
    };
    const prototype = (realm.global.Object as { prototype: object }).prototype;
    for (const [name, fn] of Object.entries(methods))
      Object.defineProperty(prototype, name, { value: realm.native(fn), writable: true, configurable: true, enumerable: false });
  }
}
