import type { Callback, RadioHost } from "./radio-host.ts";
import { ArgumentError } from "./radio-packets.ts";

/** Handlers of the events of `NRF`. */
export class RadioEvents {
  private readonly listeners = new Map<string, Callback[]>();

  constructor(private readonly host: RadioHost) {}

  /** Fires from the main loop. Without a handler nothing is queued. */
  emit(event: string, args: unknown[]): void {
    if (this.listeners.has(event)) this.host.call(() => this.fire(event, args), [], 0);
  }

  clear(): void {
    this.listeners.clear();
  }

  /** What the script calls. */
  members(): Record<string, Callback> {
    return {
      on: (event: unknown, listener: unknown) => {
        if (typeof listener !== "function") throw new ArgumentError("Function or String not supplied!");
        this.listeners.set(String(event), [...(this.listeners.get(String(event)) ?? []), listener as Callback]);
      },
      emit: (event: unknown, ...args: unknown[]) => this.emit(String(event), args),
      removeListener: (event: unknown, listener: unknown) => {
        const left = (this.listeners.get(String(event)) ?? []).filter((one) => one !== listener);
        if (left.length > 0) this.listeners.set(String(event), left);
        else this.listeners.delete(String(event));
      },
      removeAllListeners: (event: unknown) => {
        if (event === undefined) this.listeners.clear();
        else this.listeners.delete(String(event));
      },
    };
  }

  private fire(event: string, args: unknown[]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) (listener as (...args: unknown[]) => unknown)(...args);
  }
}
