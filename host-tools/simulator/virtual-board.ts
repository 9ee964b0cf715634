import type { BoardFacts } from "../../boards/board-facts.ts";
import { BoardClock } from "./board-clock.ts";
import type { BoardCore, ErrorFlag, Restart } from "./board-core.ts";
import type { BoardRadio, VirtualBoardOptions } from "./board-options.ts";
import { type BootReason, boot } from "./boot.ts";
import { fromByteString } from "./byte-arguments.ts";
import { Console } from "./console.ts";
import { FlashImage, type FlashTiming, flashTiming, PowerCut } from "./flash.ts";
import type { InputQueue } from "./input-queue.ts";
import { eraseAllFlash, eraseFlash, writeFlash } from "./library-flash.ts";
import { type LoopHost, MainLoop } from "./main-loop.ts";
import type { NarrowRealm } from "./narrow-realm.ts";
import type { MachineCode } from "./native-calls.ts";
import { PacketReceiver } from "./packets.ts";
import { Pins } from "./pins.ts";
import { Screen } from "./screen.ts";
import { Abort } from "./script-errors.ts";
import { ScriptHost } from "./script-host.ts";
import { SeededRandom } from "./seeded-random.ts";
import type { SerialLink } from "./serial-link.ts";
import { Storage } from "./storage.ts";
import { Timers } from "./timers.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import { Watchdog } from "./watchdog.ts";
import { Wires } from "./wires.ts";
import { Wristwatch } from "./wristwatch.ts";

export type { BoardRadio, VirtualBoardOptions } from "./board-options.ts";

const DEFAULT_FIRMWARE = "2v29";
const SHORTEST_EVENT = 64;
const DEFAULT_CALLBACK_SECONDS = 0.001;
const CTRL_C = 3;
/** Seconds. */
const FOREVER = 1e9;

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
  readonly timers: Timers;
  readonly console: Console;
  readonly pins: Pins;
  readonly watchdog: Watchdog;
  /** Undefined where there is none, or none that is modelled. */
  readonly screen: Screen | undefined;
  readonly wristwatch: Wristwatch | undefined;
  readonly flags = new Map<string, number>();
  readonly address: string;
  readonly hardwareVersion: number | undefined;
  readonly temperature: number;
  /** Volts of the battery; a new function is a new battery. */
  supply: () => number;
  password: string | undefined;
  timeZone = 0;
  /** What scripts threw and nobody caught, as printed. */
  readonly errors: string[] = [];
  powered = false;
  radio: BoardRadio | undefined;
  readonly machineCode: MachineCode | undefined;
  private readonly time: BoardClock;
  private readonly wires: Wires;
  private readonly loop: MainLoop;
  private readonly script: ScriptHost;
  private readonly packets: PacketReceiver | undefined;
  private readonly random32: SeededRandom;
  private readonly makeRadio: ((board: VirtualBoard) => BoardRadio) | undefined;
  private readonly printListeners = new Set<(text: string) => void>();
  private restartWanted: Restart | undefined;
  private interrupted = false;

  constructor(options: VirtualBoardOptions) {
    const { facts, clock } = options;
    this.facts = facts;
    this.clock = clock;
    this.firmware = options.firmware ?? DEFAULT_FIRMWARE;
    this.random32 = new SeededRandom(options.seed ?? 1);
    this.address = options.address ?? factoryAddress(this.random32);
    const { batteryVolts = facts.battery ? 3.9 : 3 } = options;
    this.supply = () => batteryVolts;
    this.temperature = options.temperature ?? 22;
    this.hardwareVersion = options.hardwareVersion ?? facts.revisions[0]?.hwVersion;
    this.makeRadio = options.radio;
    this.machineCode = options.machineCode;
    this.time = new BoardClock(clock, options.clockPpm ?? 0);
    this.watchdog = new Watchdog(clock, this.time, () => this.bitten());
    this.flash = options.flash ?? FlashImage.forBoard(facts);
    this.flashTiming = flashTiming(facts);
    const { address, pages, pageBytes } = facts.storage;
    this.storage = new Storage(this.flash, address, address + pages * pageBytes, {
      print: (text) => this.console.write(text),
      write: (at, bytes) => writeFlash(this, at, bytes),
      erase: (at) => eraseFlash(this, at),
      eraseAll: () => eraseAllFlash(this),
    });
    this.wires = new Wires(facts, {
      clock,
      time: this.time,
      received: (port, bytes) => this.receive(port, bytes),
      toRadio: (bytes) => void this.radio?.uartSend?.(bytes),
    });
    this.timers = new Timers({
      uptime: () => this.uptime(),
      call: (callback, args) => this.callScript(callback, args),
      intervalLost: () => this.script.intervalLost(),
      changed: () => this.loop.plan(),
    });
    this.loop = new MainLoop(this.loopHost(), this.timers, Math.max(SHORTEST_EVENT, facts.gatt.mtu + 3));
    this.pins = new Pins(
      { core: this, queueEdge: (cost, run) => this.queueCall(cost, run) },
      facts.lights.map((light) => light.name),
      facts.buttons,
    );
    if (facts.screen?.power) this.screen = new Screen(facts.screen, clock);
    if (facts.screen?.power === "Bangle.setLCDPower" && this.screen)
      this.wristwatch = new Wristwatch({
        clock,
        screen: this.screen,
        emit: (event, args) => this.script.fireBangle(event, args),
        enqueue: (work) => this.enqueue(work),
        load: () => this.restart({ kind: "load" }),
      });
    this.script = new ScriptHost(this, {
      checkDialect: options.checkDialect ?? true,
      callbackSeconds: options.callbackSeconds ?? DEFAULT_CALLBACK_SECONDS,
      variables: { count: options.variables ?? facts.variables.count, bytes: facts.variables.bytes },
      uncaught: (text) => this.uncaught(text),
    });
    const { runner } = this.script;
    this.packets = this.atLeast(25)
      ? new PacketReceiver({
          core: this,
          evaluateExpression: (source) => runner.executeExpression(source),
          checkErrors: () => runner.checkErrors(),
          fireE: (event, argument) => this.fireE(event, argument),
        })
      : undefined;
    this.console = new Console({
      transmit: (text) => this.transmit(text),
      execute: (source) => runner.execute(source, "REPL"),
      show: (value) => this.script.show(value),
      checkErrors: () => runner.checkErrors(),
      identity: () => `Espruino ${this.firmware} ${facts.espruinoNames[0]}`,
      password: () => this.password,
      packets: this.packets,
    });
  }

  private loopHost(): LoopHost {
    const board = this;
    return {
      clock: this.clock,
      time: this.time,
      get powered() {
        return board.powered;
      },
      guard: (work) => this.guard(work),
      receive: (port, bytes) => {
        if (port !== this.wires.device) {
          this.script.received(port, String.fromCharCode(...bytes));
          return;
        }
        for (const byte of bytes) {
          // Within a packet Ctrl-C was a byte like any other.
          if (byte === CTRL_C && this.packets?.active) this.interrupted = false;
          this.console.receive(byte);
        }
      },
      hostMay: (send) => this.wires.current?.hostMay(send),
      overflow: () => this.flagError("FIFO_FULL"),
      run: (work) => {
        this.script.runner.attempt(work);
        this.script.runner.checkErrors();
      },
      pending: () => this.restartWanted !== undefined || this.interrupted || this.console.lineRemoved,
      endOfTurn: () => this.endOfTurn(),
    };
  }

  // ---- power and restarts

  /** Battery in. RAM is empty, the clock stands at 1970. `buttonHeld` skips `.bootcde`; `"long"` also deletes it, as holding on past the self test does. */
  powerOn(options: { buttonHeld?: boolean | "long" } = {}): void {
    if (this.powered) return;
    this.powered = true;
    this.time.powerOn();
    this.radio = this.makeRadio?.(this);
    this.wristwatch?.powerOn();
    if (options.buttonHeld === "long") this.guard(() => this.eraseSavedCode());
    this.start({ kind: "power", autoLoad: !options.buttonHeld });
  }

  /** Battery out: RAM and time are gone, flash stays. */
  powerOff(): void {
    if (!this.powered) return;
    this.powered = false;
    this.loop.stop();
    this.watchdog.stop();
    this.resetHardware();
    this.forgetScript();
    this.wristwatch?.powerOff();
    this.screen?.powerOff();
    this.radio?.powerOff();
    this.radio = undefined;
  }

  /** As `reset()` of the script, from outside. */
  reset(): void {
    this.restart({ kind: "reset", eraseCode: false });
  }

  restart(what: Restart): void {
    this.restartWanted = what;
    if (what.kind === "reboot") throw new Abort();
    this.loop.plan();
  }

  private resetHardware(): void {
    this.flags.clear();
    this.wires.reset();
  }

  /** Everything the script had in RAM. */
  private forgetScript(): void {
    this.loop.clear();
    this.restartWanted = undefined;
    this.interrupted = false;
    this.script.clear();
    this.packets?.clear();
    this.timers.clear();
    this.pins.reset();
    this.password = undefined;
    this.timeZone = 0;
  }

  private start(reason: BootReason): void {
    this.wires.forced = false;
    const loading = (on: boolean) => {
      this.script.memory.loading = on;
    };
    this.loop.hold(() => boot({ board: this, freshRealm: () => this.freshRealm(), loading }, reason));
  }

  private freshRealm(): void {
    this.forgetScript();
    this.script.begin(this.radio?.nrf, () => this.pins.install());
  }

  private doRestart(what: Restart): void {
    if (what.kind === "reboot") {
      if (what.bitten) this.watchdog.stop();
      this.resetHardware();
      this.watchdog.forgotten();
      this.radio?.powerOff();
      this.radio = this.makeRadio?.(this);
      this.start({ kind: "reboot", autoLoad: true });
      return;
    }
    this.fireE("kill");
    this.radio?.reset();
    if (what.kind === "reset") {
      if (what.eraseCode) {
        this.console.write("Erasing saved code.");
        this.eraseSavedCode();
        this.console.write("\nDone!\n");
      }
      this.start({ kind: "reset", autoLoad: false });
    } else this.start(what.file === undefined ? { kind: "load", autoLoad: true } : { kind: "load", autoLoad: false, file: what.file });
  }

  private eraseSavedCode(): void {
    for (const file of [".varimg", ".bootcde", ".bootrst"]) this.storage.erase(file);
  }

  private bitten(): void {
    this.time.busyUntil = this.clock.now;
    this.guard(() => this.doRestart({ kind: "reboot", bitten: true }));
  }

  // ---- time

  uptime(): number {
    return this.time.uptime;
  }

  get boardTime(): number {
    return this.time.time;
  }

  setBoardTime(seconds: number): void {
    this.time.time = seconds;
  }

  spend(seconds: number): void {
    this.time.spend(seconds);
    const { bitesAt } = this.watchdog;
    if (this.time.trueNow < bitesAt || this.clock.now >= bitesAt) return;
    // a script that only waits is thrown out at that moment
    this.time.busyUntil = bitesAt;
    this.restart({ kind: "reboot", bitten: true });
  }

  /** The script does not come back from what it does now. Ctrl-C ends it, and so does the watchdog. */
  hang(): void {
    this.time.spend(FOREVER);
    this.loop.plan();
  }

  /** True time as far as the processor has worked, Unix seconds; the clock may still be behind. */
  get processorTime(): number {
    return this.time.trueNow;
  }

  /** The SoftDevice restarts: the script stands still and the board's clock misses the time. */
  onStackRestart(ms: number): void {
    this.spend(ms / 1000);
    this.time.lose(ms / 1000);
    this.loop.plan();
  }

  // ---- console

  /** The wire: its speed, its flow control. */
  get link(): SerialLink {
    return this.wires.wire;
  }

  /** What waits for the main loop. */
  get queue(): InputQueue {
    return this.loop.queue;
  }

  /** Host to board, over the wire. */
  input(bytes: Uint8Array): void {
    if (this.powered) this.link.input(bytes);
  }

  /** Board to host, over the wire. Answers a function that takes the listener off again. */
  onOutput(listener: (bytes: Uint8Array) => void): () => void {
    return this.link.onOutput(listener);
  }

  /** Host to board, from the radio's console service. */
  uartReceived(bytes: Uint8Array): void {
    if (this.powered) this.wires.fromRadio(bytes);
  }

  /** A central has come or gone: the console goes with it. */
  linkChanged(up: boolean): void {
    if (!this.powered) return;
    this.wires.linkChanged();
    if (!this.wires.forced) this.consoleDevice = up ? "Bluetooth" : this.wires.usual;
    else if (this.consoleDevice === "Bluetooth") this.console.clear(false);
    this.loop.plan();
  }

  private receive(port: string, bytes: Uint8Array): void {
    if (!this.powered) return;
    if (port === this.wires.device && bytes.includes(CTRL_C) && !this.console.locked && !this.packets?.active) this.interrupt();
    this.loop.pushSerial(port, bytes);
  }

  /** As if the port had received this. */
  inject(port: string, bytes: Uint8Array): void {
    this.receive(port, bytes);
  }

  /** The script writes to a port that need not be the console. */
  writePort(port: string, text: string): void {
    this.wires.port(port)?.output(text);
  }

  /** Ctrl-C has arrived: what is being printed is cut short; the main loop does the rest. */
  private interrupt(): void {
    this.interrupted = true;
    if (!this.time.busy) return;
    this.time.busyUntil = this.clock.now;
    this.wires.current?.truncate();
    this.console.print("Execution Interrupted\n");
  }

  private transmit(text: string): void {
    this.wires.current?.output(text);
  }

  print(text: string): void {
    for (const listener of this.printListeners) listener(text);
    this.console.print(text);
  }

  /** Everything that is printed, before it goes over the wire; echo and prompts are not in it. */
  onPrint(listener: (text: string) => void): () => void {
    this.printListeners.add(listener);
    return () => this.printListeners.delete(listener);
  }

  get consoleDevice(): string | null {
    return this.wires.device;
  }

  /** `force`: connections that come and go don't move it. */
  setConsole(device: string | null, force: boolean): void {
    this.wires.forced = force;
    this.consoleDevice = device;
  }

  set consoleDevice(device: string | null) {
    const old = this.wires.device;
    if (device === old) return;
    const tell = !this.console.silent;
    if (tell) this.console.print(`-> ${device}\n`);
    this.console.clear(false);
    this.wires.device = device;
    if (tell) this.console.print(`<- ${old}\n`);
  }

  // ---- running scripts

  get realm(): NarrowRealm {
    return this.script.realm;
  }

  /** Runs the code of a file, which stays in flash; `shownAs` names it at the bottom of a stack. What it throws is printed. */
  runFile(name: string, source: string, shownAs: string): void {
    this.script.runFile(name, source, shownAs);
  }

  /** Value of an expression in the script's world, for tests. Nothing is printed but errors. */
  evaluate(source: string): unknown {
    let value: unknown;
    this.loop.hold(() => {
      value = this.script.runner.execute(source, undefined)?.value;
      this.script.runner.checkErrors();
    });
    return value;
  }

  attempt(work: () => void): void {
    this.script.runner.attempt(work);
  }

  callScript(callback: unknown, args: unknown[], self?: unknown): boolean {
    return this.script.call(callback, args, self);
  }

  enqueue(run: () => void): void {
    this.loop.enqueue(run);
  }

  /** A report that goes through the input queue: `cost` bytes of it, dropped when there is no room. */
  queueCall(cost: number, run: () => void): boolean {
    return this.powered && this.loop.pushCall(cost, run);
  }

  /** Calls the script's handlers of an event of `E`; false if there are none. */
  fireE(event: string, ...args: unknown[]): boolean {
    return this.script.fireE(event, ...args);
  }

  private uncaught(text: string): void {
    this.errors.push(text);
    if (!this.flags.get("onErrorSave") || this.storage.find("ERROR")) return;
    this.attempt(() => this.storage.write("ERROR", fromByteString(text.slice("Uncaught ".length))));
  }

  flagError(flag: ErrorFlag): void {
    this.script.flag(flag);
  }

  takeErrorFlags(): ErrorFlag[] {
    return this.script.runner.takeFlags();
  }

  /** Runs a piece of the main loop. Aborts and power cuts end it here. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof PowerCut) this.powerOff();
      else if (error instanceof Abort) this.script.aborted(error);
      else throw error;
    }
  }

  // ---- memory

  allocate(bytes: number): void {
    this.script.allocate(bytes);
  }

  memoryUsage(): { usage: number; total: number } {
    return { usage: this.script.memory.usage, total: this.script.memory.total };
  }

  holdMemory(blocks: number): void {
    this.script.memory.hold(blocks);
  }

  /** Blocks in use and in all; an estimate. */
  memory(): { usage: number; total: number } {
    return this.memoryUsage();
  }

  // ---- surroundings

  random(): number {
    return this.random32.next();
  }

  seedScript(seed: number): void {
    this.script.seed(seed);
  }

  randomBytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => Math.floor(this.random32.next() * 256));
  }

  get batteryVolts(): number {
    return this.supply();
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

  /** Restarts, errors and the prompt, after each turn of the main loop. True if there may be more to do. */
  private endOfTurn(): boolean {
    const { restartWanted } = this;
    if (restartWanted) {
      this.restartWanted = undefined;
      this.doRestart(restartWanted);
    }
    this.script.report();
    if (this.interrupted) {
      this.interrupted = false;
      this.console.clear(true);
    }
    if (this.powered) this.console.returnLine();
    return restartWanted !== undefined;
  }
}

function factoryAddress(random: SeededRandom): string {
  const bytes = Array.from({ length: 6 }, () => Math.floor(random.next() * 256));
  bytes[0]! |= 0xc0;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
