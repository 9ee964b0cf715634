import { type Command, InvalidArgumentError } from "commander";
import { PROTOCOLS } from "../../boards/capabilities.ts";
import { utc } from "../device/clock-words.ts";
import { ConfigError } from "../errors.ts";
import type { MarkKind, StoredMark } from "../store/marks.ts";
import { Store } from "../store/store.ts";
import { utcTime } from "../utc-time.ts";
import { namedBoard, openKnown } from "./named-board.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

/** `2026-03-02`, `2026-03-02 08:30`, with T or seconds or Z if you like: UTC. Answers Unix seconds; the last ones of what was named where `isEnd`. */
export function parseTime(text: string, isEnd: boolean): number {
  const time = utcTime(text);
  if (!time) throw new InvalidArgumentError(`a day such as 2026-03-02 or a minute such as "2026-03-02 08:30" (UTC) is expected, got ${text}`);
  return isEnd ? time.last : time.first;
}

function parseIdentifier(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}){5,16}$/i.test(text))
    throw new InvalidArgumentError("the first 5 to 16 bytes of an identifier in hexadecimal digits are expected.");
  return Buffer.from(text, "hex");
}

const PROTOCOL_NAMES = Object.keys(PROTOCOLS).filter((name) => name !== "smartbeacon");

/** What the mark of a time says. */
const PERIODS = {
  mask: "the wearer wore a mask",
  ward: "the wearer was on a ward, protected as it is done there",
  vehicle: "the wearer was in a vehicle, by himself or behind a screen",
} as const;

function describe({ id, kind, place, board, protocol, identifier, from, to, note }: StoredMark): string {
  const parts = [
    `${kind}${place === null ? "" : ` ${JSON.stringify(place)}`}, board ${board}`,
    ...(from === null ? [] : [`from ${utc(from * 1000)}`]),
    ...(to === null ? [] : [`to ${utc(to * 1000)}`]),
    ...(identifier === null ? [] : [`identifier ${Buffer.from(identifier).toString("hex").slice(0, 4)}…`]),
    ...(protocol === null ? [] : [protocol]),
    ...(note === null ? [] : [note]),
  ];
  return `${id}  ${parts.join(", ")}`;
}

interface SafeOptions {
  db: string;
  board: string;
  from?: number;
  to?: number;
  identifier?: Uint8Array;
  protocol?: string;
  note?: string;
  json?: boolean;
}

function listed(mark: StoredMark) {
  return { ...mark, identifier: mark.identifier && Buffer.from(mark.identifier).toString("hex") };
}

async function markSafe(options: SafeOptions): Promise<void> {
  const { from, to, identifier, protocol } = options;
  if (identifier === undefined && (from === undefined || to === undefined))
    throw new ConfigError("usage", "which encounters? Give --from and --to, or --identifier: a mark on all of a board would silence it");
  if (from !== undefined && to !== undefined && from > to) throw new ConfigError("usage", "--from is later than --to");
  if (protocol !== undefined && !PROTOCOL_NAMES.includes(protocol))
    throw new ConfigError("unknown_protocol", `no encounters are kept of a protocol called "${protocol}"; known: ${PROTOCOL_NAMES.join(", ")}`);
  const store = openKnown(options.db);
  try {
    const { id: board } = await namedBoard(store, options.board);
    const mark = {
      kind: "safe" as const,
      place: null,
      board,
      protocol: protocol ?? null,
      identifier: identifier ?? null,
      from: from ?? null,
      to: to ?? null,
      note: options.note ?? null,
    };
    const made = { id: await store.addMark(mark), ...mark };
    createOutput(options.json === true).result(listed(made), `marked: ${describe(made)}`);
  } finally {
    await store.close();
  }
}

function addSafe(group: Command): void {
  group
    .command("safe")
    .description("mark encounters of a board as safe: an own car, a wall between. They are kept and matched, and never raise the alarm")
    .requiredOption("--db <file>", "database")
    .requiredOption("--board <id>", "whose encounters: id or name of the board")
    .option("--from <time>", "only what lies wholly from this day or minute on, UTC", (text) => parseTime(text, false))
    .option("--to <time>", "up to this day or minute and with it", (text) => parseTime(text, true))
    .option("--identifier <hex>", "only encounters whose identifier begins so", parseIdentifier)
    .option("--protocol <name>", "only of this protocol")
    .option("--note <text>", "why, for yourself")
    .option("--json", "one JSON document instead of text")
    .addHelpText(
      "after",
      '\nExamples:\n  tracelet mark safe --db tracelet.db --board puck-07 --from "2026-03-02 08:00" --to "2026-03-02 08:40" --note "own car"\nA mark holds for encounters that are pulled later too. `mark list` shows marks, `mark remove` takes one back.',
    )
    .action(markSafe);
}

interface PeriodOptions {
  db: string;
  board: string;
  from: number;
  to: number;
  note?: string;
  json?: boolean;
}

async function markPeriod(kind: MarkKind, place: string | null, { db, board, from, to, note, json }: PeriodOptions): Promise<void> {
  if (from > to) throw new ConfigError("usage", "--from is later than --to");
  const store = openKnown(db);
  try {
    const { id } = await namedBoard(store, board);
    const mark = { kind, place, board: id, protocol: null, identifier: null, from, to, note: note ?? null };
    const made = { id: await store.addMark(mark), ...mark };
    createOutput(json === true).result(listed(made), `marked: ${describe(made)}`);
  } finally {
    await store.close();
  }
}

function withPeriod(command: Command): Command {
  return command
    .requiredOption("--db <file>", "database")
    .requiredOption("--board <id>", "whose time: id or name of the board")
    .requiredOption("--from <time>", "from this day or minute on, UTC", (text) => parseTime(text, false))
    .requiredOption("--to <time>", "up to this day or minute and with it", (text) => parseTime(text, true))
    .option("--note <text>", "anything, for yourself")
    .option("--json", "one JSON document instead of text");
}

function addPeriods(group: Command): void {
  for (const kind of ["mask", "ward", "vehicle"] as const) {
    withPeriod(
      group.command(kind).description(`mark a time in which ${PERIODS[kind]}. Exposures in it count as ever; \`tracelet report\` tells them apart`),
    ).action((options: PeriodOptions) => markPeriod(kind, null, options));
  }
  withPeriod(
    group.command("place").description("mark where a board was for a time, for `tracelet report`").argument("<name>", "of the place", placeName),
  ).action((name: string, options: PeriodOptions) => markPeriod("place", name, options));
}

function placeName(text: string): string {
  if (text.trim() === "" || text.length > 60) throw new InvalidArgumentError("a name of 1 to 60 characters is expected.");
  return text.trim();
}

function addList(group: Command): void {
  group
    .command("list")
    .description("show what is marked")
    .requiredOption("--db <file>", "database")
    .option("--json", "one JSON document instead of text")
    .action(async ({ db, json }: { db: string; json?: boolean }) => {
      const store = Store.open(db, { readOnly: true });
      try {
        const marks = await store.allMarks();
        createOutput(json === true).result({ marks: marks.map(listed) }, marks.length > 0 ? marks.map(describe).join("\n") : "no marks");
      } finally {
        await store.close();
      }
    });
}

function addRemove(group: Command): void {
  group
    .command("remove")
    .description("take a mark back: encounters that were safe count again")
    .argument("<number>", "of the mark, as `mark list` shows it", (text) => {
      if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("the number of a mark is expected.");
      return Number(text);
    })
    .requiredOption("--db <file>", "database")
    .option("--json", "one JSON document instead of text")
    .action(async (number: number, { db, json }: { db: string; json?: boolean }) => {
      const store = openKnown(db);
      try {
        if (!(await store.removeMark(number)))
          throw new ConfigError("no_such_mark", `mark ${number}: there is none; \`tracelet mark list\` shows them`);
        createOutput(json === true).result({ removed: number }, `mark ${number} is gone`);
      } finally {
        await store.close();
      }
    });
}

export const register: RegisterCommand = (program) => {
  const group = program
    .command("mark")
    .description("say that encounters are safe, that a wearer was protected, where a board was; see what is marked, take it back");
  addSafe(group);
  addPeriods(group);
  addList(group);
  addRemove(group);
};
