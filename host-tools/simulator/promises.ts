import type { NarrowRealm } from "./narrow-realm.ts";
import { Abort, withStack } from "./script-errors.ts";

export interface PromiseHost {
  /** Calls `run` from the main loop, before the next timers. What it throws is an error of the script. */
  queue(run: () => void): void;
  /** Makes what V8 threw the interpreter's. */
  caught(error: unknown): void;
}

interface State {
  settled: "pending" | "done" | "failed";
  value: unknown;
  reactions: { done: unknown; failed: unknown; next: Deferred }[];
}

export interface Deferred {
  promise: object;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

export interface Promises {
  constructor: unknown;
  defer(): Deferred;
}

/**
 * The interpreter's own Promise: then, catch, resolve, reject, all and nothing more; reactions run from the main loop's queue.
 * A rejection that nobody handles when it happens is an error on the console. Source: Espruino 2v29, src/jswrap_promise.c.
 */
export function installPromises(realm: NarrowRealm, host: PromiseHost): Promises {
  const states = new WeakMap<object, State>();
  let prototype: Record<string, unknown>;

  const create = (): object => {
    const promise = Object.assign(Object.create(prototype) as object, { state: 0 });
    states.set(promise, { settled: "pending", value: undefined, reactions: [] });
    return promise;
  };

  const react = (state: State, reaction: State["reactions"][number]) => {
    host.queue(() => {
      const handler = state.settled === "done" ? reaction.done : reaction.failed;
      if (typeof handler !== "function") {
        if (state.settled === "done") reaction.next.resolve(state.value);
        else reaction.next.reject(state.value);
        return;
      }
      let value: unknown;
      try {
        value = (handler as (value: unknown) => unknown).call(undefined, state.value);
      } catch (error) {
        if (error instanceof Abort) throw error;
        host.caught(error);
        reaction.next.reject(error);
        return;
      }
      reaction.next.resolve(value);
    });
  };

  const settle = (promise: object, settled: "done" | "failed", value: unknown) => {
    const state = states.get(promise)!;
    state.settled = settled;
    state.value = value;
    (promise as { state: number }).state = settled === "done" ? 1 : 2;
    const { reactions } = state;
    state.reactions = [];
    for (const reaction of reactions) react(state, reaction);
    if (settled === "failed" && reactions.length === 0) throw unhandled(value);
  };

  const unhandled = (value: unknown) => {
    host.caught(value);
    const error = realm.error(`Unhandled promise rejection: ${realm.isError(value) ? value.toString() : String(value)}`);
    return withStack(error, realm.isError(value) ? (value.stack ?? "") : "");
  };

  /** Resolve and reject for one promise; only the first call counts. */
  const deferred = (promise: object): Deferred => {
    let used = false;
    const reject = (reason: unknown) => {
      if (used) return;
      used = true;
      settle(promise, "failed", reason);
    };
    const resolve = (value: unknown) => {
      if (used) return;
      used = true;
      if (value === promise) throw realm.error("Illegal resolving to self");
      const then = typeof value === "object" && value !== null ? (value as { then?: unknown }).then : undefined;
      if (typeof then !== "function") return settle(promise, "done", value);
      const inner = deferred(promise);
      try {
        (then as (a: unknown, b: unknown) => void).call(value, realm.native(inner.resolve), realm.native(inner.reject));
      } catch (error) {
        if (error instanceof Abort) throw error;
        host.caught(error);
        inner.reject(error);
      }
    };
    return { promise, resolve, reject };
  };

  const then = (promise: unknown, done: unknown, failed: unknown): object => {
    const state = states.get(promise as object);
    if (!state) throw realm.error("Expecting a Promise");
    const next = deferred(create());
    const reaction = { done, failed, next };
    if (state.settled === "pending") state.reactions.push(reaction);
    else react(state, reaction);
    return next.promise;
  };

  const later = (value: unknown, how: "resolve" | "reject"): object => {
    const made = deferred(create());
    host.queue(() => made[how](value));
    return made.promise;
  };

  const all = (items: unknown): object => {
    const made = deferred(create());
    if (!Array.isArray(items)) throw realm.error("Expecting something iterable, got " + typeof items, "TypeError");
    const results = realm.array(items.map(() => undefined));
    let left = items.length;
    if (left === 0) host.queue(() => made.resolve(results));
    items.forEach((item: unknown, i) => {
      const keep = (value: unknown) => {
        results[i] = value;
        left -= 1;
        if (left === 0) made.resolve(results);
      };
      if (states.has(item as object)) then(item, realm.native(keep), realm.native(made.reject));
      else host.queue(() => keep(item));
    });
    return made.promise;
  };

  const PromiseClass = realm.nativeClass((...args: never[]) => {
    const executor: unknown = args[0];
    if (typeof executor !== "function") throw realm.error("Executor function required in Promise constructor", "TypeError");
    const promise = create();
    // The interpreter settles from its queue, also when the executor calls at once.
    const own = deferred(promise);
    const queued = (how: "resolve" | "reject") => realm.native((value: never) => host.queue(() => own[how](value)));
    try {
      (executor as (a: unknown, b: unknown) => void)(queued("resolve"), queued("reject"));
    } catch (error) {
      if (error instanceof Abort) throw error;
      host.caught(error);
      host.queue(() => own.reject(error));
    }
    return promise;
  }) as unknown as Record<string, unknown> & { prototype: Record<string, unknown> };
  prototype = PromiseClass.prototype;
  const hidden = (object: object, name: string, fn: (this: unknown, ...args: never[]) => unknown) =>
    Object.defineProperty(object, name, { value: realm.native(fn), writable: true, configurable: true, enumerable: false });
  hidden(prototype, "then", function (this: unknown, done: never, failed: never) {
    return then(this, done, failed);
  });
  hidden(prototype, "catch", function (this: unknown, failed: never) {
    return then(this, undefined, failed);
  });
  hidden(PromiseClass, "resolve", (value: never) => (states.has(value as object) ? value : later(value, "resolve")));
  hidden(PromiseClass, "reject", (value: never) => later(value, "reject"));
  hidden(PromiseClass, "all", all);
  realm.define("Promise", PromiseClass);
  return { constructor: PromiseClass, defer: () => deferred(create()) };
}
