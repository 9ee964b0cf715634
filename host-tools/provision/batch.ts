import { findBoard } from "../../boards/index.ts";
import type { Board } from "../device/board.ts";
import { type HostClock, sleep } from "../device/host-clock.ts";
import { openBoard } from "../device/open-board.ts";
import type { Transport } from "../device/transport.ts";
import { DeviceError, ToolError } from "../errors.ts";
import { ANY_PORT } from "./plan.ts";
import { type BoardJob, planOf, provisionBoard, StepFailed } from "./provision-board.ts";
import type { ProvisionState } from "./state.ts";

export interface BatchPart extends Pick<BoardJob, "row" | "bundle"> {}

export interface BatchOptions extends Omit<BoardJob, "row" | "bundle"> {
  clock: HostClock;
  /** @throws DeviceError */
  open(port: string): Promise<Transport>;
  /** Ports that `*` stands for. */
  anyPorts: string[];
  /** Boards that are worked on at a time. */
  jobs: number;
  /** How long a port is watched for its next board, seconds. */
  waitSeconds: number;
  /** Ends everything: links are closed, the state stays. */
  signal?: AbortSignal;
}

/** A failure that is not in the state, because it has no board. */
export interface Failure {
  step: string;
  code: string;
  message: string;
}

const LOOK_AGAIN_MS = 2000;
/** A link that failed is tried once more after so long. */
const RETRY_MS = 3000;
/** Nothing there, or nothing that answers: another look may find it. */
const ABSENT = ["silent", "no_port", "disconnected", "not_espruino"];
/** A board that is there and does not let us in. */
const SHUT = ["board_locked", "wrong_key", "lock_waits"];
const LINK_TROUBLE = ["silent", "disconnected", "timeout", "damaged", "not_espruino", "flash_failed"];

/**
 * Provisions the boards of a plan: those at different ports at once, those that share a port one after the other, each recognised by its chip.
 * One that fails stops no other. Answers the failures by name; whatever else there is to tell is in the state.
 */
export async function provisionBatch(parts: BatchPart[], options: BatchOptions): Promise<Map<string, Failure>> {
  const batch = new Batch(parts, options);
  const ports = new Set(parts.map(({ row }) => row.port).filter((port) => port !== ANY_PORT));
  if (parts.some(({ row }) => row.port === ANY_PORT)) for (const port of options.anyPorts) ports.add(port);
  await Promise.all([...ports].map((port) => batch.servePort(port)));
  return batch.failures;
}

class Batch {
  readonly failures = new Map<string, Failure>();
  /** Names that some port works on now. */
  private readonly busy = new Set<string>();
  private readonly links = new Set<Transport>();
  /** Ports at whose board the key was wrong: it is not tried again, for each attempt makes the board wait longer. */
  private readonly wrongKey = new Set<string>();
  private working = 0;
  private readonly queue: (() => void)[] = [];

  constructor(
    private readonly parts: BatchPart[],
    private readonly options: BatchOptions,
  ) {
    options.signal?.addEventListener("abort", () => {
      for (const link of this.links) void link.close();
    });
  }

  private get state(): ProvisionState {
    return this.options.state;
  }
  private get aborted(): boolean {
    return this.options.signal?.aborted === true;
  }

  private isPending({ row, bundle }: BatchPart): boolean {
    return !this.state.isFinished(row.name, planOf(row, bundle)) && !this.failures.has(row.name) && !this.busy.has(row.name);
  }

  /** What may still come to this port. */
  private wanted(port: string): BatchPart[] {
    return this.parts.filter((part) => (part.row.port === port || part.row.port === ANY_PORT) && this.isPending(part));
  }

  /** Takes one board after the other from a port until the plan has no more for it. */
  async servePort(port: string): Promise<void> {
    /** Chip that was dealt with and may still be there. */
    let dealtWith: string | undefined;
    while (!this.aborted && this.wanted(port).length > 0) {
      const board = await this.nextBoard(port, dealtWith);
      if (!board) return;
      try {
        dealtWith = await this.dealWith(port, board);
      } finally {
        await this.close(board);
      }
    }
  }

  /** Waits for a board that is not the one before. `undefined`: none came, or there is no use in waiting. */
  private async nextBoard(port: string, dealtWith: string | undefined): Promise<Board | undefined> {
    const { clock, waitSeconds } = this.options;
    const begun = clock.now();
    let gone = dealtWith;
    let asked = false;
    for (;;) {
      let why: ToolError | undefined;
      try {
        const board = await this.open(port);
        if (gone === undefined || chipOf(board) !== gone) return board;
        await this.close(board);
      } catch (error) {
        if (this.aborted) return undefined;
        if (!(error instanceof DeviceError) || ![...ABSENT, ...SHUT].includes(error.code)) return this.portFailed(port, error);
        why = error;
        if (error.code === "wrong_key") this.wrongKey.add(port);
        else if (ABSENT.includes(error.code)) {
          gone = undefined;
          this.wrongKey.delete(port);
        }
      }
      const wanted = this.wanted(port);
      if (this.aborted || wanted.length === 0) return undefined;
      if (clock.now() - begun >= waitSeconds) {
        if (why) return this.portFailed(port, why);
        this.options.say(`${port}: the same board was still there after ${waitSeconds} s; run the same command again to go on`);
        return undefined;
      }
      if (!asked && why && (why.code === "no_port" || (SHUT.includes(why.code) && dealtWith === undefined))) this.options.say(why.message);
      if (!asked) this.options.say(invitation(port, wanted, dealtWith !== undefined));
      asked = true;
      await sleep(clock, LOOK_AGAIN_MS);
    }
  }

  /** No board can come by this port: the rows that name it fail, those for any port wait for another. */
  private portFailed(port: string, error: unknown): undefined {
    if (!(error instanceof ToolError)) throw error;
    const own = this.wanted(port).filter(({ row }) => row.port === port);
    const rows = this.parts.filter(({ row }) => row.port === port).length;
    // where many share a port, most simply have not come yet
    if (rows === 1) for (const { row } of own) this.fail(row.name, "connect", error);
    else this.options.say(`${error.message}. Still to come: ${names(this.wanted(port))}`);
    return undefined;
  }

  /** Finds the row for a board and does it. Answers the chip. */
  private async dealWith(port: string, board: Board): Promise<string> {
    const chip = chipOf(board);
    const part = this.choose(port, board, chip);
    if (!part) return chip;
    const { name } = part.row;
    this.busy.add(name);
    await this.takeTurn();
    try {
      if (this.aborted) return chip;
      const known = this.state.board(name);
      if (known?.chip !== chip || known.port !== port) this.state.add({ event: "begun", name, chip, board: part.row.board.id, port });
      await this.attempt(port, board, part);
    } finally {
      this.busy.delete(name);
      this.passTurn();
    }
    return chip;
  }

  private choose(port: string, board: Board, chip: string): BatchPart | undefined {
    const { say } = this.options;
    const claimed = this.state.nameOf(chip);
    const own = this.parts.find(({ row }) => row.name === claimed);
    if (own) {
      const { name } = own.row;
      if (this.busy.has(name)) {
        say(`${port}: the chip there is that of ${name}, which another port works on; give each virtual board its own --seed`);
        return undefined;
      }
      if (!this.state.isFinished(name, planOf(own.row, own.bundle))) {
        this.failures.delete(name);
        return own;
      }
      say(`${port}: this is ${name}, done already`);
      return undefined;
    }
    const wanted = this.wanted(port);
    const free = wanted.filter(({ row }) => !this.state.board(row.name));
    const facts = findBoard(board.identity.board);
    const fitting = free.find(({ row }) => row.board.id === facts?.id);
    if (fitting) return fitting;
    const what = facts?.name ?? board.identity.board;
    const problem =
      free.length > 0
        ? new DeviceError(
            "wrong_board",
            `${port}: this is a ${what}, and the plan has ${names(free)} for this port; put the right board there, or correct the plan`,
          )
        : new DeviceError(
            "other_chip",
            `${port}: this ${what} is none of the boards that were begun as ${names(wanted)}; put the right board there, or give a name to another board with --release ${wanted[0].row.name}`,
          );
    // a port with one row waits for nothing else
    if (wanted.length === 1 && wanted[0].row.port === port) this.fail(wanted[0].row.name, "connect", problem);
    else say(problem.message);
    return undefined;
  }

  /** Once more where the link was at fault: what was done stays done. */
  private async attempt(port: string, first: Board, part: BatchPart): Promise<void> {
    const { name } = part.row;
    const trouble = await this.provision(first, part);
    if (!trouble) return;
    const { step, cause } = trouble;
    const again = LINK_TROUBLE.includes(cause.code) && !this.aborted ? await this.reopen(port, first) : undefined;
    if (!again) return this.fail(name, step, cause);
    this.options.say(`${name}: ${step}: ${cause.message}; trying once more`);
    try {
      const next = await this.provision(again, part);
      if (next) this.fail(name, next.step, next.cause);
    } finally {
      await this.close(again);
    }
  }

  /** Answers what went wrong; nothing where all is done or the batch was aborted. */
  private async provision(board: Board, { row, bundle }: BatchPart): Promise<{ step: string; cause: ToolError } | undefined> {
    try {
      await provisionBoard(board, { ...this.options, flashOptions: this.flashOptions(row.name), row, bundle });
      this.options.say(`${row.name}: done`);
      return undefined;
    } catch (error) {
      if (this.aborted) return undefined;
      const { step, cause } = error instanceof StepFailed ? error : { step: "connect", cause: error };
      if (!(cause instanceof ToolError)) throw cause;
      return { step, cause };
    }
  }

  private async reopen(port: string, board: Board): Promise<Board | undefined> {
    await this.close(board);
    await sleep(this.options.clock, RETRY_MS);
    const again = await this.open(port).catch((error: unknown) => {
      if (error instanceof ToolError) return undefined;
      throw error;
    });
    if (again && chipOf(again) !== chipOf(board)) {
      await this.close(again);
      return undefined;
    }
    return again;
  }

  /** Erasing is for boards that come for the first time, never for one that this batch has begun. */
  private flashOptions(name: string): BoardJob["flashOptions"] {
    const fresh = !this.state.board(name)?.done.has("flash");
    const { erase, discard } = this.options.flashOptions;
    return { ...this.options.flashOptions, erase: fresh && erase, discard: fresh && discard };
  }

  private fail(name: string, step: string, error: ToolError): void {
    const failure = { step, code: error.code, message: error.message };
    this.failures.set(name, failure);
    if (this.state.board(name)) this.state.add({ event: "failed", name, ...failure });
    this.options.say(`${name}: ${step} failed: ${error.message}`);
  }

  // ---- links, and how many at a time

  private async open(port: string): Promise<Board> {
    const transport = await this.options.open(port);
    this.links.add(transport);
    try {
      return await openBoard(transport, { clock: this.options.clock, key: this.keyFor(port) });
    } catch (error) {
      this.links.delete(transport);
      throw error;
    }
  }

  /** The key of the board that comes to a port, where one alone can be meant: a locked board does not tell who it is. */
  private keyFor(port: string): Uint8Array | undefined {
    if (this.wrongKey.has(port)) return undefined;
    const keys = this.parts
      .filter(({ row, bundle }) => (row.port === port || row.port === ANY_PORT) && !this.state.isFinished(row.name, planOf(row, bundle)))
      .map(({ row }) => this.options.keys.read(row.name))
      .filter((key) => key !== undefined);
    return keys.length === 1 ? keys[0] : undefined;
  }

  private async close(board: Board): Promise<void> {
    const { transport } = board.stream;
    // one that was opened with its key is shut again; one that is gone does that by itself
    if (board.repl.unlocked && !this.aborted) await board.endSession().catch(() => {});
    this.links.delete(transport);
    await transport.close();
  }

  private async takeTurn(): Promise<void> {
    if (this.working >= this.options.jobs) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.working += 1;
  }

  private passTurn(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.working -= 1;
  }
}

/** What tells one board from the next; a Linux build of the interpreter has no serial number. */
function chipOf(board: Board): string {
  return board.identity.serial || board.name;
}

function names(parts: BatchPart[]): string {
  const shown = parts.slice(0, 3).map(({ row }) => `${row.name} (${row.board.name})`);
  return shown.join(", ") + (parts.length > 3 ? ` and ${parts.length - 3} more` : "");
}

function invitation(port: string, wanted: BatchPart[], another: boolean): string {
  const order = another ? "take the board off and put the next one on" : "put a board on";
  return `${port}: ${order}: ${names(wanted)}. The adapter first, the battery after it`;
}
