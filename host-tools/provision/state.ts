import { appendFileSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { FormatError, ToolError } from "../errors.ts";

// What has been done to which board, one JSON document a line, appended as it happens. Nothing secret stands in it: keys are files of their own.

/** What is done to a board, in this order. */
export const STEPS = ["radio", "flash", "settings", "clock", "tempids", "beacon", "test", "label", "record", "lock"] as const;
export type Step = (typeof STEPS)[number];

const common = { at: z.string(), name: z.string() };
const eventShape = z.discriminatedUnion("event", [
  /** A chip was given a name. */
  z.object({ ...common, event: z.literal("begun"), chip: z.string(), board: z.string(), port: z.string() }),
  z.object({ ...common, event: z.literal("done"), step: z.enum(STEPS), plan: z.string(), seconds: z.number(), result: z.unknown() }),
  z.object({ ...common, event: z.literal("failed"), step: z.string(), code: z.string(), message: z.string() }),
  z.object({ ...common, event: z.literal("finished"), plan: z.string() }),
  /** The name is free for another board. */
  z.object({ ...common, event: z.literal("released") }),
]);
type StateEvent = z.infer<typeof eventShape>;
/** Each kind of event on its own, without the time. */
type NewEvent = StateEvent extends infer Event ? (Event extends StateEvent ? Omit<Event, "at"> : never) : never;

/** What is known of one name of the plan. */
export interface BoardState {
  /** `process.env.SERIAL` of the chip. */
  chip: string;
  port: string;
  done: Map<Step, { plan: string; seconds: number; result: unknown }>;
  failed?: { step: string; code: string; message: string };
  /** Plan it was finished for. */
  finished?: string;
}

/** The state of a batch, in a file that only grows. */
export class ProvisionState {
  private readonly boards = new Map<string, BoardState>();

  private constructor(
    private readonly file: string | undefined,
    private readonly now: () => number,
  ) {}

  /**
   * Reads what there is; a last line that was cut short is dropped. `now`: Unix seconds.
   * @throws FormatError "bad_state"
   */
  static open(file: string, now: () => number): ProvisionState {
    const state = new ProvisionState(file, now);
    const text = readIfThere(file);
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) truncateSync(file, Buffer.byteLength(whole));
    whole
      .split("\n")
      .slice(0, -1)
      .forEach((line, i) => {
        state.apply(parseLine(line, file, i + 1));
      });
    mkdirSync(dirname(file), { recursive: true });
    return state;
  }

  /** The same without writing anything: for a look ahead. */
  static look(file: string): ProvisionState {
    const state = new ProvisionState(undefined, () => 0);
    const text = readIfThere(file);
    const lines = text.split("\n").slice(0, -1);
    lines.forEach((line, i) => {
      state.apply(parseLine(line, file, i + 1));
    });
    return state;
  }

  board(name: string): BoardState | undefined {
    return this.boards.get(name);
  }

  /** Whom a chip was given to. */
  nameOf(chip: string): string | undefined {
    for (const [name, board] of this.boards) if (board.chip === chip) return name;
    return undefined;
  }

  /** Result of a step that was done for this plan. */
  result(name: string, step: Step, plan: string): unknown {
    const done = this.boards.get(name)?.done.get(step);
    return done?.plan === plan ? done.result : undefined;
  }

  isFinished(name: string, plan: string): boolean {
    return this.boards.get(name)?.finished === plan;
  }

  add(event: NewEvent): void {
    const dated = { at: new Date(this.now() * 1000).toISOString(), ...event } as StateEvent;
    if (this.file === undefined) throw new Error("state: opened to look only");
    try {
      appendFileSync(this.file, JSON.stringify(dated) + "\n");
    } catch (cause) {
      throw new ToolError("unwritable_file", `${this.file}: can't be written (${(cause as Error).message}); choose another folder with --out`, {
        cause,
      });
    }
    this.apply(dated);
  }

  private apply(event: StateEvent): void {
    if (event.event === "begun") {
      const known = this.boards.get(event.name);
      if (known?.chip !== event.chip) this.boards.set(event.name, { chip: event.chip, port: event.port, done: new Map() });
      else known.port = event.port;
      return;
    }
    const board = this.boards.get(event.name);
    if (event.event === "released") this.boards.delete(event.name);
    if (!board) return;
    if (event.event === "done") {
      board.done.set(event.step, { plan: event.plan, seconds: event.seconds, result: event.result });
      board.failed = undefined;
    } else if (event.event === "failed") board.failed = { step: event.step, code: event.code, message: event.message };
    else if (event.event === "finished") {
      board.finished = event.plan;
      board.failed = undefined;
    }
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw new FormatError("bad_state", `${file}: can't be read (${(cause as Error).message}); check your rights to it`, { cause });
  }
}

function parseLine(line: string, file: string, number: number): StateEvent {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const event = eventShape.safeParse(value);
  if (event.success) return event.data;
  throw new FormatError(
    "bad_state",
    `${file}, line ${number}: not written by this version of tracelet, or damaged; take the line out, and what it told is done again`,
  );
}
