import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { ConfigError, DeviceError } from "../errors.ts";
import { BluetoothConsole } from "./bluetooth-console.ts";
import type { VirtualBoard } from "./virtual-board.ts";

/** Longest piece of virtual time that is run at once, seconds; sockets are served in between. */
const SLICE = 0.25;
/** When the machine falls this far behind, real seconds, the lost time is left out. */
const GIVE_UP = 1;
/** Flash is saved this long after the last change. */
const SAVE_DELAY_MS = 200;
const LONGEST_SLEEP_MS = 3_600_000;
const IMAGE_FILE = "flash.bin";
const PTY_PATIENCE_MS = 5000;

/** Runs a virtual board in real time, or `speed` times as fast, and hands its console to whoever connects. */
export class LiveBoard {
  private timer: NodeJS.Timeout | undefined;
  private saveTimer: NodeJS.Timeout | undefined;
  private realStart = 0;
  private virtualStart = 0;
  private savedAt = -1;
  private stopped = false;
  private readonly closers: (() => Promise<void>)[] = [];

  constructor(
    readonly board: VirtualBoard,
    readonly options: { speed?: number; stateFolder?: string } = {},
  ) {}

  private get speed(): number {
    return this.options.speed ?? 1;
  }

  /** Loads flash from the state folder if it is there, and switches the board on. */
  start(options: { buttonHeld?: boolean } = {}): void {
    const { stateFolder } = this.options;
    if (stateFolder) {
      mkdirSync(stateFolder, { recursive: true });
      const file = join(stateFolder, IMAGE_FILE);
      if (existsSync(file)) this.loadFlash(file);
    }
    this.savedAt = this.changes();
    this.rebase();
    this.board.powerOn(options);
    this.pump();
  }

  private loadFlash(file: string): void {
    try {
      this.board.flash.load(file);
    } catch (cause) {
      throw new ConfigError("bad_state", `${file}: not a flash image of this board; take another --state folder`, { cause });
    }
  }

  /** Ends connections, cuts the power and saves flash. */
  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.saveTimer);
    for (const close of this.closers.reverse()) await close();
    this.board.powerOff();
    this.save();
  }

  /** Host to board. */
  input(bytes: Uint8Array): void {
    // the bytes arrive now: what was due before comes before
    while (this.run());
    this.board.input(bytes);
    this.pump();
  }

  private rebase(): void {
    this.realStart = performance.now();
    this.virtualStart = this.board.clock.now;
  }

  private get virtualNow(): number {
    return this.virtualStart + ((performance.now() - this.realStart) / 1000) * this.speed;
  }

  /** Runs what is due. True: there is more. Time in which nothing was planned costs no work and is never left out. */
  private run(): boolean {
    const { clock } = this.board;
    let target = this.virtualNow;
    const idleUntil = Math.max(clock.now, Math.min(clock.nextAt ?? target, target));
    if ((target - idleUntil) / this.speed > GIVE_UP) {
      this.realStart = performance.now();
      this.virtualStart = target = idleUntil;
    }
    clock.advanceTo(Math.min(target, idleUntil + SLICE * Math.max(1, this.speed)));
    return clock.now < target;
  }

  private pump(): void {
    if (this.stopped) return;
    const more = this.run();
    this.noteChanges();
    const { clock } = this.board;
    const wait = more ? 0 : ((clock.nextAt ?? Number.POSITIVE_INFINITY) - this.virtualNow) / this.speed;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pump(), Math.min(Math.max(0, wait * 1000), LONGEST_SLEEP_MS));
  }

  // ---- flash

  private changes(): number {
    const { flash } = this.board;
    let erases = 0;
    for (const count of flash.erases.values()) erases += count;
    return flash.bytesWritten + erases;
  }

  private noteChanges(): void {
    if (!this.options.stateFolder || this.changes() === this.savedAt) return;
    this.savedAt = this.changes();
    clearTimeout(this.saveTimer);
    this.saveTimer = setTimeout(() => this.save(), SAVE_DELAY_MS);
  }

  private save(): void {
    if (this.options.stateFolder) this.board.flash.save(join(this.options.stateFolder, IMAGE_FILE));
  }

  // ---- listening

  /** Raw bytes over TCP on this machine only; `port` 0 takes a free one. Answers the port. Anyone who connects shares the one console. */
  async listenTcp(port: number): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      socket.setNoDelay(true);
      sockets.add(socket);
      if (this.board.facts.console.device === "Terminal") {
        this.bridge(socket);
        socket.on("close", () => sockets.delete(socket));
        return;
      }
      const silence = this.board.onOutput((bytes) => socket.write(bytes));
      socket.on("data", (bytes) => this.input(bytes));
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        silence();
      });
    });
    await listening(server, port);
    this.closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    });
    const address = server.address();
    return typeof address === "object" && address ? address.port : port;
  }

  /** A connection that stands for one over Bluetooth. Refused where the board takes none. */
  private bridge(socket: Socket): void {
    while (this.run());
    const link = BluetoothConsole.open(this.board);
    socket.on("error", () => socket.destroy());
    if (!link) {
      socket.end();
      return;
    }
    link.onOutput((bytes) => socket.write(bytes));
    link.onEnd(() => socket.end());
    socket.on("data", (bytes) => {
      while (this.run());
      link.input(bytes);
      this.pump();
    });
    socket.on("close", () => {
      while (this.run());
      link.close();
      this.pump();
    });
    this.pump();
  }

  /** The button goes down now and up again in `ms`. */
  press(ms: number): void {
    while (this.run());
    this.board.pressButton(ms);
    this.pump();
  }

  /** A pseudo terminal at `path`, made by socat. It lasts as long as the board does. */
  async listenPty(path: string): Promise<void> {
    if (lstatSync(path, { throwIfNoEntry: false })) throw new ConfigError("pty_exists", `${path} is there already; name another path for --pty`);
    const socat = spawn("socat", ["STDIO", `PTY,link=${path},raw,echo=0`], { stdio: ["pipe", "pipe", "pipe"] });
    let complaint = "";
    socat.stderr.on("data", (text: Buffer) => {
      complaint += text.toString("utf8");
    });
    socat.stdin.on("error", () => {});
    await started(socat, path, () => complaint);
    const silence = this.board.onOutput((bytes) => socat.stdin.write(bytes));
    socat.stdout.on("data", (bytes: Buffer) => this.input(bytes));
    this.closers.push(async () => {
      silence();
      if (socat.exitCode !== null) return;
      socat.kill();
      await once(socat, "exit");
      if (lstatSync(path, { throwIfNoEntry: false })) unlinkSync(path);
    });
  }
}

async function listening(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    const busy = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new ConfigError("tcp_busy", busy ? `port ${port} is taken; name another for --tcp` : `port ${port}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Waits until the terminal is there. */
async function started(socat: ChildProcess, path: string, complaint: () => string): Promise<void> {
  const failed = new Promise<never>((_resolve, reject) => {
    socat.on("error", (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === "ENOENT";
      reject(
        new DeviceError(
          "no_pty",
          missing ? "--pty needs socat: install it (apt install socat), or use --tcp" : `socat does not start: ${cause.message}`,
          { cause },
        ),
      );
    });
    socat.on("exit", (code) => reject(new DeviceError("no_pty", `socat gave up (exit code ${code}): ${complaint().trim()}`)));
  });
  failed.catch(() => {});
  const end = Date.now() + PTY_PATIENCE_MS;
  while (!lstatSync(path, { throwIfNoEntry: false })) {
    if (Date.now() > end) throw new DeviceError("no_pty", `socat made no terminal at ${path} within ${PTY_PATIENCE_MS / 1000} s`);
    await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 20))]);
  }
}
