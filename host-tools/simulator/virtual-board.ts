import type { BoardFacts } from "../../boards/board-facts.ts";
import type { BoardCore, ErrorFlag, Restart } from "./board-core.ts";
import { type BootReason, boot } from "./boot.ts";
import { fromByteString, toByteString } from "./byte-arguments.ts";
import { Console } from "./console.ts";
import { FlashImage, type FlashTiming, flashTiming, PowerCut } from "./flash.ts";
import { InputQueue } from "./input-queue.ts";
import { installLibraries, type Libraries } from "./interpreter.ts";
import { eraseFlash, writeFlash } from "./library-storage.ts";
import { MemoryModel } from "./memory-model.ts";
import { NarrowRealm } from "./narrow-realm.ts";
import { Pins } from "./pins.ts";
import { asText, CONSOLE_ANSWER, printValue } from "./printer.ts";
import { Abort, espruinoError, syntaxTrace } from "./script-errors.ts";
import { ScriptEvents } from "./script-events.ts";
import { SeededRandom } from "./seeded-random.ts";
import { SerialLink } from "./serial-link.ts";
import { Storage } from "./storage.ts";
import { Timers } from "./timers.ts";
import type { Scheduled, VirtualClock } from "./virtual-clock.ts";

/** What a virtual radio is to its board. */
export interface BoardRadio {
  readonly nrf: Record<string, unknown>;
  powerOff(): void;
  reset(): void;
}

export interface VirtualBoardOptions {
  facts: BoardFacts;
  clock: VirtualClock;
  /** Makes the radio; without it the board has no `NRF`. */
  radio?: (board: VirtualBoard) => BoardRadio;
  seed?: number;
  /** Contents of flash; erased if absent. */
  flash?: FlashImage;
  /** The interpreter's release. Before 2v25 it knows no packets. */
  firmware?: string;
  /** The chip's own address, `aa:bb:cc:dd:ee:ff`. */
  address?: string;
  /** How much faster the board's clock runs than true time, parts per million. */
  clockPpm?: number;
  batteryVolts?: number;
  temperature?: number;
  /** Variables ("JsVars") of the interpreter, when not the board's usual number. */
  variables?: number;
  hardwareVersion?: number;
  /** How long the interpreter works on each callback, seconds. The radio's reports queue up meanwhile. */
  callbackSeconds?: number;
}

const DEFAULT_FIRMWARE = "2v29";
const QUEUE_BYTES = 1024;
const DEFAULT_CALLBACK_SECONDS = 0.001;

/**
 * A board: interpreter, console, Storage, timers and pins, over the bytes of a real flash image and a virtual clock. What is flashed runs here
 * byte for byte. Nothing happens but in events of the clock, so a run is a function of its inputs.
 */
export class VirtualBoard implements BoardCore {
  readonly facts: BoardFacts;
  readonly clock: VirtualClock;
  readonly firmware: string;
  readonly flash: FlashImage;
  readonly flashTiming: FlashTiming;
  readonly storage: Storage;
  readonly link: SerialLink;
  readonly queue: InputQueue;
  readonly timers: Timers;
  readonly console: Console;
  readonly pins: Pins;
  readonly flags = new Map<string, number>();
  readonly address: string;
  readonly hardwareVersion: number | undefined;
  readonly temperature: number;
  readonly clockPpm: number;
  batteryVolts: number;
  password: string | undefined;
  timeZone = 0;
  /** What scripts threw and nobody caught, as printed. */
  readonly errors: string[] = [];
  realm!: NarrowRealm;
  powered = false;
  private readonly random32: SeededRandom;
  private readonly memoryModel: MemoryModel;
  private readonly radio: BoardRadio | undefined;
  private readonly callbackSeconds: number;
  private readonly printListeners = new Set<(text: string) => void>();
  private events = new ScriptEvents();
  private libraries!: Libraries;
  private todo: (() => void)[] = [];
  private pending: { error: unknown } | undefined;
  private wake: Scheduled | undefined;
  private inLoop = false;
  /** True time up to which the processor is at work. */
  private cpuUntil = 0;
  private poweredAt = 0;
  private lostSeconds = 0;
  private timeOffset = 0;
  private errorFlags = new Set<ErrorFlag>();
  private newFlags = new Set<ErrorFlag>();
  private restartWanted: Restart | undefined;
  private interrupted = false;
  private device: string | null;
  private dog: { seconds: number; automatic: boolean; bite: Scheduled } | undefined;

  constructor(options: VirtualBoardOptions) {
    const { facts, clock } = options;
    this.facts = facts;
    this.clock = clock;
    this.firmware = options.firmware ?? DEFAULT_FIRMWARE;
    this.random32 = new SeededRandom(options.seed ?? 1);
    this.flash = options.flash ?? FlashImage.forBoard(facts);
    this.flashTiming = flashTiming(facts);
    this.address = options.address ?? factoryAddress(this.random32);
    this.clockPpm = options.clockPpm ?? 0;
    this.batteryVolts = options.batteryVolts ?? 3;
    this.temperature = options.temperature ?? 22;
    this.hardwareVersion = options.hardwareVersion ?? facts.revisions[0]?.hwVersion;
    this.callbackSeconds = options.callbackSeconds ?? DEFAULT_CALLBACK_SECONDS;
    this.memoryModel = new MemoryModel(options.variables ?? facts.variables.count, facts.variables.bytes);
    this.device = facts.console.device === "Serial1" ? "Serial1" : facts.console.device;
    const { address, pages, pageBytes } = facts.storage;
    this.storage = new Storage(this.flash, address, address + pages * pageBytes, {
      print: (text) => this.console.write(text),
      write: (at, bytes) => writeFlash(this, at, bytes),
      erase: (at) => eraseFlash(this, at),
    });
    const bigRam = facts.chip.ramKb >= 128;
    this.link = new SerialLink(
      { clock, now: () => this.trueNow, received: (bytes) => this.receive(bytes), blockUntil: (time) => this.spend(time - this.trueNow) },
      facts.console.baud,
      bigRam ? 256 : 128,
    );
    this.queue = new InputQueue(QUEUE_BYTES, facts.gatt.mtu + 3 > 64 ? facts.gatt.mtu + 3 : 64, () => this.flagError("FIFO_FULL"));
    this.timers = new Timers({ uptime: () => this.uptime(), call: (callback, args) => this.callScript(callback, args), changed: () => this.plan() });
    this.pins = new Pins(
      { core: this, queueEdge: (cost, run) => this.queueCall(cost, run) },
      facts.lights.map((light) => light.name),
      facts.buttons,
    );
    this.console = new Console({
      transmit: (text) => this.transmit(text),
      execute: (source) => this.execute(source, "REPL"),
      show: (value) => printValue(this.realm, value, CONSOLE_ANSWER),
      checkErrors: () => this.checkErrors(),
      identity: () => `Espruino ${this.firmware} ${facts.espruinoNames[0]}`,
      password: () => this.password,
    });
    this.radio = options.radio?.(this);
  }

  // ---- power and restarts

  /** Battery in. RAM is empty, the clock stands at 1970. `buttonHeld` skips `.bootcde`; `"long"` also deletes it, as holding on past the self test does. */
  powerOn(options: { buttonHeld?: boolean | "long" } = {}): void {
    if (this.powered) return;
    this.powered = true;
    this.poweredAt = this.cpuUntil = this.clock.now;
    this.lostSeconds = 0;
    this.timeOffset = 0;
    if (options.buttonHeld === "long") for (const file of [".bootcde", ".bootrst"]) this.guard(() => void this.storage.erase(file));
    this.start({ kind: "power", autoLoad: !options.buttonHeld });
  }

  /** Battery out: RAM and time are gone, flash stays. */
  powerOff(): void {
    if (!this.powered) return;
    this.powered = false;
    this.wake?.cancel();
    this.wake = undefined;
    this.dog?.bite.cancel();
    this.dog = undefined;
    this.link.clear();
    this.link.baud = this.facts.console.baud;
    this.link.flow = false;
    this.forget();
    this.radio?.powerOff();
  }

  /** Everything the script had in RAM. */
  private forget(): void {
    this.todo = [];
    this.pending = undefined;
    this.restartWanted = undefined;
    this.interrupted = false;
    this.errorFlags.clear();
    this.newFlags.clear();
    this.queue.clear();
    this.timers.clear();
    this.pins.reset();
    this.memoryModel.clear();
    this.password = undefined;
    this.timeZone = 0;
  }

  private start(reason: BootReason): void {
    this.inLoop = true;
    this.guard(() =>
      boot(
        { board: this, freshRealm: () => this.freshRealm(), loading: (on) => this.memoryModel.setLoading(on), fireE: (event) => this.fireE(event) },
        reason,
      ),
    );
    this.inLoop = false;
    this.plan();
  }

  private freshRealm(): void {
    this.forget();
    this.events = new ScriptEvents();
    this.realm = new NarrowRealm((error) => this.caught(error));
    this.libraries = installLibraries({
      core: this,
      events: this.events,
      nrf: this.radio?.nrf,
      caught: (error) => this.caught(error),
      installPins: () => this.pins.install(),
    });
  }

  restart(what: Restart): void {
    this.restartWanted = what;
    if (what.kind === "reboot") throw new Abort("reboot");
  }

  /** As `reset()` at the console, from outside. */
  reset(): void {
    this.restartWanted = { kind: "reset", eraseCode: false };
    this.plan();
  }

  private doRestart(what: Restart): void {
    this.fireE("kill");
    this.radio?.reset();
    if (what.kind === "reboot") {
      this.link.flow = false;
      this.link.baud = this.facts.console.baud;
      this.dog?.bite.cancel();
      this.dog = undefined;
      this.flags.clear();
      this.start({ kind: "reboot", autoLoad: true });
    } else if (what.kind === "reset") {
      if (what.eraseCode) {
        this.console.write("Erasing saved code.");
        for (const file of [".varimg", ".bootcde", ".bootrst"]) this.storage.erase(file);
        this.console.write("\nDone!\n");
      }
      this.start({ kind: "reset", autoLoad: false });
    } else this.start(what.file === undefined ? { kind: "load", autoLoad: true } : { kind: "load", autoLoad: false, file: what.file });
  }

  // ---- time

  /** True time as far as the processor has worked. */
  private get trueNow(): number {
    return Math.max(this.clock.now, this.cpuUntil);
  }

  uptime(): number {
    return (this.trueNow - this.poweredAt) * (1 + this.clockPpm * 1e-6) - this.lostSeconds;
  }

  get boardTime(): number {
    return Math.floor((this.timeOffset + this.uptime()) * 32768) / 32768;
  }

  setBoardTime(seconds: number): void {
    this.timeOffset = seconds - this.uptime();
  }

  spend(seconds: number): void {
    if (seconds > 0) this.cpuUntil = this.trueNow + seconds;
  }

  /** The SoftDevice restarts: the script stands still and the board's clock misses the time. */
  onStackRestart(ms: number): void {
    this.spend(ms / 1000);
    this.lostSeconds += (ms / 1000) * (1 + this.clockPpm * 1e-6);
    this.plan();
  }

  // ---- console

  /** Host to board. */
  input(bytes: Uint8Array): void {
    if (this.powered) this.link.input(bytes);
  }

  /** Board to host. Answers a function that takes the listener off again. */
  onOutput(listener: (bytes: Uint8Array) => void): () => void {
    return this.link.onOutput(listener);
  }

  private receive(bytes: Uint8Array): void {
    if (!this.powered || this.device !== "Serial1") return;
    if (bytes.includes(3) && !this.console.locked) this.interrupt();
    this.queue.pushSerial(bytes);
    this.plan();
  }

  /** Ctrl-C has arrived: what is being printed is cut short; the main loop does the rest. */
  private interrupt(): void {
    this.interrupted = true;
    if (this.cpuUntil <= this.clock.now) return;
    this.cpuUntil = this.clock.now;
    this.link.truncate();
    this.console.print("Execution Interrupted\n");
  }

  private transmit(text: string): void {
    if (this.device === "Serial1") this.link.output(text);
  }

  print(text: string): void {
    for (const listener of this.printListeners) listener(text);
    this.console.print(text);
  }

  /** Everything the interpreter or the script prints, as one line of text or several, before it goes over the wire. */
  onPrint(listener: (text: string) => void): () => void {
    this.printListeners.add(listener);
    return () => this.printListeners.delete(listener);
  }

  get consoleDevice(): string | null {
    return this.device;
  }

  set consoleDevice(device: string | null) {
    if (device === this.device) return;
    if (!this.console.silent) this.console.print(`-> ${device}\n`);
    const old = this.device;
    this.device = device;
    if (!this.console.silent) this.console.print(`<- ${old}\n`);
  }

  // ---- running scripts

  /** Runs text as the console or a file would; undefined when it threw. */
  execute(source: string, name: string | undefined): { value: unknown } | undefined {
    try {
      return { value: this.realm.run(source) };
    } catch (error) {
      this.thrown(error, source, name);
      return undefined;
    }
  }

  /** Runs the code of a file; what it throws is printed. */
  runFile(name: string, source: string): void {
    this.memoryModel.load(source, true);
    this.execute(source, name);
    this.checkErrors();
  }

  private thrown(error: unknown, source: string, name: string | undefined): void {
    if (error instanceof Abort || error instanceof PowerCut) throw error;
    if (error instanceof SyntaxError && "pos" in error) {
      const trace = syntaxTrace(source, error.message, Number(error.pos), name);
      const own = this.realm.error(trace.message, "SyntaxError");
      Object.defineProperty(own, "stack", { value: trace.stack, enumerable: true, configurable: true, writable: true });
      this.pending = { error: own };
      return;
    }
    espruinoError(this.realm, error, name);
    this.pending = { error };
  }

  evaluate(source: string): unknown {
    return this.execute(toByteString(Buffer.from(source, "utf8")), undefined)?.value;
  }

  callScript(callback: unknown, args: unknown[], self?: unknown): void {
    this.spend(this.callbackSeconds);
    try {
      if (typeof callback === "function") (callback as (...all: unknown[]) => unknown).apply(self, args);
      else if (typeof callback === "string") this.realm.run(callback);
    } catch (error) {
      this.thrown(error, typeof callback === "string" ? callback : "", undefined);
    }
    this.checkErrors();
  }

  /** First thing in every catch clause of a script. */
  private caught(error: unknown): void {
    if (error instanceof Abort || error instanceof PowerCut) throw error;
    espruinoError(this.realm, error, "REPL");
  }

  enqueue(run: () => void): void {
    this.todo.push(run);
    this.plan();
  }

  /** A report that goes through the input queue: `cost` bytes of it, dropped when there is no room. */
  queueCall(cost: number, run: () => void): boolean {
    if (!this.powered) return false;
    const queued = this.queue.pushCall(cost, run);
    this.plan();
    return queued;
  }

  private fireE(event: string, ...args: unknown[]): void {
    if (this.libraries) this.events.fire(this.libraries.e, event, args, (handler, all, self) => this.callScript(handler, all, self));
  }

  // ---- errors

  private checkErrors(): void {
    const pending = this.pending;
    this.pending = undefined;
    if (pending && !this.handledByScript(pending.error)) {
      const text = `Uncaught ${asText(this.realm, pending.error)}\n`;
      const stack = this.realm.isError(pending.error) ? (pending.error.stack ?? "") : "";
      this.errors.push(text + stack);
      this.console.print(text + stack);
      this.saveError(text + stack);
    }
    this.reportFlags();
  }

  private handledByScript(error: unknown): boolean {
    const { process } = this.realm.global;
    const handlers = this.events.of(process as object, "uncaughtException");
    for (const handler of handlers) {
      try {
        handler.call(process, error);
      } catch (second) {
        this.thrown(second, "", undefined);
        return false;
      }
    }
    return handlers.length > 0;
  }

  private saveError(text: string): void {
    if (this.flags.get("onErrorSave") && !this.storage.find("ERROR")) this.storage.write("ERROR", fromByteString(text));
  }

  private reportFlags(): void {
    if (this.newFlags.size === 0) return;
    const names = [...this.newFlags];
    this.newFlags.clear();
    this.fireE("errorFlag", this.realm.array(names));
    this.print(`New interpreter error: ${names.join()}\n`);
  }

  flagError(flag: ErrorFlag): void {
    if (!this.errorFlags.has(flag)) this.newFlags.add(flag);
    this.errorFlags.add(flag);
  }

  takeErrorFlags(): ErrorFlag[] {
    const flags = [...this.errorFlags];
    this.errorFlags.clear();
    return flags;
  }

  /** Runs a piece of the main loop. Aborts and power cuts end it here. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof PowerCut) this.powerOff();
      else if (error instanceof Abort) {
        if (error.message !== "") this.aborted(error.message);
      } else throw error;
    }
  }

  private aborted(reason: string): void {
    if (reason === "reboot") return;
    this.print(reason + "Execution Interrupted\n");
    this.errors.push(reason);
    this.reportFlags();
  }

  // ---- memory

  /** Takes memory in one piece, or ends what runs as the interpreter does: nothing can catch it. */
  allocate(bytes: number): void {
    if (this.memoryModel.take(bytes)) return;
    this.flagError("LOW_MEMORY");
    this.flagError("MEMORY");
    throw new Abort("OUT OF MEMORY\n");
  }

  memoryUsage(): { usage: number; total: number } {
    return { usage: this.memoryModel.usage, total: this.memoryModel.total };
  }

  memory(): { usage: number; total: number } {
    return this.memoryUsage();
  }

  // ---- surroundings

  random(): number {
    return this.random32.next();
  }

  randomBytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.random32.next() * 256));
  }

  get serialNumber(): string {
    const digits = this.address.replaceAll(":", "");
    return `${digits.slice(4, 12)}-${digits.slice(0, 4)}0000`;
  }

  atLeast(minor: number): boolean {
    const match = /^(\d+)v(\d+)/.exec(this.firmware);
    return match !== null && (Number(match[1]) > 2 || (Number(match[1]) === 2 && Number(match[2]) >= minor));
  }

  /** The button goes down now and up again in `ms`. */
  pressButton(ms: number, button = "BTN1"): void {
    this.pins.drive(button, 1);
    this.clock.after(ms / 1000, () => this.pins.drive(button, 0));
  }

  /** Brightness of the lights, 0 to 1, by name. */
  get lights(): { [name: string]: number } {
    return Object.fromEntries(this.facts.lights.map(({ name }) => [name, this.pins.read(name)]));
  }

  watchdog(seconds: number | undefined, automatic = true): void {
    if (seconds !== undefined && !this.dog) this.dog = { seconds, automatic, bite: this.armDog(seconds) };
    else if (this.dog) this.kickDog();
  }

  private kickDog(): void {
    if (!this.dog) return;
    this.dog.bite.cancel();
    this.dog.bite = this.armDog(this.dog.seconds);
  }

  private armDog(seconds: number): Scheduled {
    return this.clock.at(this.trueNow + seconds, () => {
      if (!this.powered) return;
      // An automatic watchdog is kicked whenever the main loop idles, so it bites only if the processor has been at work all the time.
      if (this.dog?.automatic && this.cpuUntil <= this.clock.now) return this.kickDog();
      this.link.clear();
      this.cpuUntil = this.clock.now;
      this.guard(() => this.doRestart({ kind: "reboot" }));
    });
  }

  // ---- main loop

  private plan(): void {
    if (!this.powered || this.inLoop) return;
    const due = this.timers.nextDue;
    const ready = this.queue.length > 0 || this.todo.length > 0 || this.restartWanted !== undefined || this.interrupted || this.console.lineRemoved;
    let at = ready ? this.clock.now : Number.POSITIVE_INFINITY;
    if (due !== undefined) at = Math.min(at, this.poweredAt + (due + this.lostSeconds) / (1 + this.clockPpm * 1e-6));
    this.wake?.cancel();
    this.wake = undefined;
    if (Number.isFinite(at)) this.wake = this.clock.at(Math.max(at, this.cpuUntil, this.clock.now), () => this.loop());
  }

  private free(): boolean {
    return this.powered && this.cpuUntil <= this.clock.now;
  }

  private loop(): void {
    this.wake = undefined;
    if (!this.free()) {
      this.plan();
      return;
    }
    this.inLoop = true;
    for (let worked = true; worked && this.free(); ) {
      worked = false;
      this.guard(() => {
        worked = this.turn();
      });
      this.memoryModel.endTurn();
    }
    this.inLoop = false;
    this.plan();
  }

  /** Once round: what came in, timers, what was queued, restarts. Stops early when the processor has got something to do. */
  private turn(): boolean {
    let worked = false;
    for (let left = this.queue.length; left > 0; left--) {
      if (!this.free()) return true;
      const event = this.queue.shift();
      if (!event) break;
      worked = true;
      if (event.kind === "call") event.run();
      else for (const byte of event.bytes) this.console.receive(byte);
    }
    if (this.timers.pass(this.uptime(), () => this.free())) worked = true;
    while (this.todo.length > 0 && this.free()) {
      worked = true;
      const run = this.todo.shift()!;
      try {
        run();
      } catch (error) {
        this.thrown(error, "", undefined);
      }
      this.checkErrors();
    }
    if (!this.free()) return true;
    const { restartWanted } = this;
    if (restartWanted) {
      this.restartWanted = undefined;
      this.doRestart(restartWanted);
      worked = true;
    }
    this.checkErrors();
    if (this.interrupted) {
      this.interrupted = false;
      this.console.clear(true);
    }
    if (this.powered) this.console.returnLine();
    return worked;
  }
}

function factoryAddress(random: SeededRandom): string {
  const bytes = Array.from({ length: 6 }, () => Math.floor(random.next() * 256));
  bytes[0]! |= 0xc0;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
