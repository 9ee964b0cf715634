import type { BoardCore } from "./board-core.ts";
import { bytesOf } from "./byte-arguments.ts";
import { asText } from "./printer.ts";
import type { ScriptEvents } from "./script-events.ts";

/** Characters that a port keeps for a script that doesn't listen. Source: Espruino 2v29, src/jswrap_stream.h. */
const BUFFER = 512;
const OTHER_END: { [port: string]: string } = { LoopbackA: "LoopbackB", LoopbackB: "LoopbackA" };

/** The serial ports of the script. */
export interface Ports {
  /** Characters of a port that is not the console: for the script's `data` handlers, or kept until there is one. */
  received(port: string, text: string): void;
}

/** `Serial1`, `Bluetooth` and the loopback, and `USB` where the wire is one. Source: Espruino 2v29, src/jswrap_serial.c, src/jswrap_stream.c. */
export function installPorts(core: BoardCore, events: ScriptEvents): Ports {
  const { realm, link } = core;
  const objects = new Map<string, object>();
  const kept = new Map<string, string>();

  const received = (port: string, text: string) => {
    const object = objects.get(port);
    if (!object || events.fire(object, "data", [text], (handler, args, self) => core.callScript(handler, args, self))) return;
    const before = kept.get(port) ?? "";
    if (before.length + text.length > BUFFER) core.flagError("BUFFER_FULL");
    kept.set(port, (before + text).slice(0, BUFFER));
  };

  const define = (name: string, more: Record<string, unknown>) => {
    const write = (text: string) => {
      const end = OTHER_END[name];
      if (end) core.inject(end, Buffer.from(text, "latin1"));
      else core.writePort(name, text);
    };
    const object = realm.library({
      setup: () => undefined,
      setConsole: (force: never) => core.setConsole(name, Boolean(force)),
      print: (text: never) => write(asText(realm, text)),
      println: (text: never) => write(asText(realm, text) + "\r\n"),
      write: (...data: never[]) => write(data.map((one) => (typeof one === "string" ? one : String.fromCharCode(...bytesOf(one)))).join("")),
      inject: (...data: never[]) => core.inject(name, Uint8Array.from(data.flatMap((one) => [...bytesOf(one)]))),
      available: () => kept.get(name)?.length ?? 0,
      read: (count: never) => {
        const all = kept.get(name) ?? "";
        const some = count === undefined ? all : all.slice(0, Number(count));
        kept.set(name, all.slice(some.length));
        return some;
      },
      ...more,
    });
    realm.markDevice(object, name);
    realm.define(name, object);
    objects.set(name, object);
  };

  define("Serial1", {
    setup: (baud: never, options: never) => {
      const rate = Number(baud);
      if (rate > 0) link.baud = rate;
      const flow = (options as { flow?: unknown } | undefined)?.flow;
      if (flow !== undefined) link.flow = flow === "xon";
    },
    unsetup: () => undefined,
  });
  if (core.facts.console.device === "USB") define("USB", {});
  for (const name of ["Bluetooth", "LoopbackA", "LoopbackB"]) define(name, {});
  realm.define(
    "Serial",
    realm.nativeClass(() => {
      throw realm.error("Software serial is missing in the virtual board");
    }),
  );
  events.listen((target, event) => {
    if (event !== "data") return;
    for (const [name, object] of objects) {
      const text = object === target ? kept.get(name) : undefined;
      if (!text) continue;
      // what has come before is brought at once
      kept.delete(name);
      core.enqueue(() => received(name, text));
    }
  });
  return { received };
}
