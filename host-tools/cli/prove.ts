import { type Command, InvalidArgumentError } from "commander";
import { ROLES } from "../../boards/capabilities.ts";
import type { DeviceStatus } from "../../protocols/device-link.ts";
import type { Board } from "../device/board.ts";
import { openBoard, openPort } from "../device/open-board.ts";
import { BoardBeaconing, type ProofOf, proveBeaconing, secondsOfCycle } from "../device/proof.ts";
import { DeviceError } from "../errors.ts";
import { onInterrupt } from "./interrupt.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

interface ProveOptions {
  peer: string[];
  wait?: number;
  baud?: number;
  json?: boolean;
}

/** A board on the table, and what it is. */
export interface OpenedBoard {
  port: string;
  board: Board;
  status: DeviceStatus;
  party: BoardBeaconing;
}

const advertises = ({ status }: OpenedBoard) => ROLES[status.r]?.advertise === true;
const scans = ({ status }: OpenedBoard) => ROLES[status.r]?.scan === true;

/** What a proof needs of a board that is open. @throws DeviceError "no_firmware" */
export async function meet(port: string, board: Board): Promise<OpenedBoard> {
  await board.requireFirmware();
  const status = await board.status();
  return { port, board, status, party: new BoardBeaconing(board, port, ROLES[status.r]?.scan === true) };
}

async function openOne(port: string, baud: number | undefined, close: (() => Promise<void>)[]): Promise<OpenedBoard> {
  const transport = await openPort(port, baud);
  const forget = onInterrupt(() => transport.close());
  close.push(async () => {
    await transport.close();
    forget();
  });
  return meet(port, await openBoard(transport, { baud }));
}

/** Why `port` can't prove anything now, or undefined where it can. */
function silence({ port, status }: OpenedBoard): string | undefined {
  if (status.ad) return undefined;
  if (!status.id) return `${port}: sends nothing, it has no usable log; \`tracelet flash --erase\` makes one`;
  if (!status.u) return `${port}: sends nothing, its clock is not set; set it with \`tracelet time\``;
  return `${port}: sends nothing now; between two identifiers that may take 10 minutes`;
}

function describe(results: ProofOf[], witnesses: OpenedBoard[], seconds: number): string {
  const lines: string[] = [];
  for (const { name, onAir, by } of results) {
    const asked = witnesses.filter(({ port }) => port !== name);
    for (const { port } of asked) {
      const found = by.find(({ witness }) => witness === port);
      lines.push(
        found
          ? `${name} is heard by ${port}, at ${found.rssi} dBm, ${found.heardAgo} s ago`
          : `${name} is NOT heard by ${port} within ${Math.round(seconds)} s${onAir ? "" : ": nothing is on the air"}`,
      );
    }
  }
  return lines.join("\n");
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 7200) || text.trim() === "") throw new InvalidArgumentError("seconds from 0 to 7200 are expected.");
  return value;
}

function baudRate(text: string): number {
  const baud = Number(text);
  if (!Number.isInteger(baud) || baud < 300 || baud > 1_000_000) throw new InvalidArgumentError("a speed in baud from 300 to 1000000 is expected.");
  return baud;
}

const HELP = `
Each board makes a tag of the identifier it sends, under a random challenge; those that scan make tags of what they have heard.
Equal tags are the proof, and the board remembers when it was given: \`tracelet status\` shows its age. No identifier is shown or kept.

Examples:
  tracelet prove /dev/ttyUSB0 --peer /dev/ttyUSB1
  tracelet prove /dev/ttyUSB0 /dev/ttyUSB1 /dev/ttyUSB2 --wait 60
  tracelet prove tcp://localhost:9601 --peer tcp://localhost:9602 --json`;

/** What a proof came to: for programs, for a person, and what to complain about. */
export interface Proven {
  value: { seconds: number; boards: ProofOf[] };
  text: string;
  failure: DeviceError | undefined;
}

/** Asks boards that are open already. `ports` and `peers`: who is to be heard by whom, as named on the command line; no peers: all by all. @throws DeviceError where nothing can be proven */
export async function proveOpened(opened: OpenedBoard[], ports: string[], peers: string[], wanted?: number): Promise<Proven> {
  const named = peers.length > 0 ? opened.filter(({ port }) => peers.includes(port)) : opened;
  const { asked, listening } = checked(
    opened.filter(({ port }) => ports.includes(port)),
    named,
  );
  const wait = wanted ?? Math.max(...listening.map(({ status }) => secondsOfCycle(status)));
  const { clock } = opened[0].board;
  const begun = clock.now();
  let told = false;
  const boards = await proveBeaconing(
    asked.map(({ party }) => party),
    listening.map(({ party }) => party),
    {
      clock,
      wait,
      onWait(missing, left) {
        if (!told) process.stderr.write(`tracelet: ${missing} not heard yet; waiting for the next scans, up to ${Math.ceil(left)} s\n`);
        told = true;
      },
    },
  );
  const seconds = clock.now() - begun;
  const unheard = boards.find(({ name, by }) => listening.some(({ port }) => port !== name && !by.some(({ witness }) => witness === port)));
  const failure = unheard && notHeard(unheard, asked.find(({ port }) => port === unheard.name)!);
  return { value: { seconds, boards }, text: describe(boards, listening, seconds), failure };
}

async function prove(ports: string[], options: ProveOptions): Promise<void> {
  const output = createOutput(options.json === true);
  const close: (() => Promise<void>)[] = [];
  try {
    const opened: OpenedBoard[] = [];
    for (const port of new Set([...ports, ...options.peer])) opened.push(await openOne(port, options.baud, close));
    const { value, text, failure } = await proveOpened(opened, ports, options.peer, options.wait);
    output.result(value, text);
    if (failure) throw failure;
  } finally {
    for (const one of close) await one();
  }
}

/** Who is to be heard, and who is to hear. @throws DeviceError `not_advertising`, `not_scanning` */
function checked(provers: OpenedBoard[], witnesses: OpenedBoard[]): { asked: OpenedBoard[]; listening: OpenedBoard[] } {
  const asked = provers.filter(advertises);
  const listening = witnesses.filter(scans);
  if (asked.length === 0)
    throw new DeviceError("not_advertising", `${provers[0].port}: a ${provers[0].status.r} doesn't advertise, so there is nothing to prove`);
  if (listening.length === 0)
    throw new DeviceError("not_scanning", `${witnesses[0].port}: a ${witnesses[0].status.r} doesn't scan; name a wearable or a scanner with --peer`);
  if (!asked.some(({ port }) => listening.some((one) => one.port !== port)))
    throw new DeviceError("not_scanning", `${asked[0].port}: nobody else is there to hear it; name another board with --peer`);
  const silent = asked.map(silence).filter((why) => why !== undefined);
  if (silent.length === asked.length) throw new DeviceError("not_advertising", silent[0]!);
  return { asked, listening };
}

function notHeard({ name, onAir }: ProofOf, { status }: OpenedBoard): DeviceError {
  if (!onAir) return new DeviceError("not_advertising", `${name}: sent nothing all the time; \`tracelet status\` tells more`);
  return new DeviceError(
    "not_heard",
    `${name}: says that it sends at ${status.c[3]} dBm, and was not heard. Check: distance, metal in between, txPower, and rssiFloor of who listens; or wait longer with --wait`,
  );
}

export const register: RegisterCommand = (program: Command) => {
  program
    .command("prove <port...>")
    .description("have other boards confirm that a board's advertisements are on the air")
    .option(
      "--peer <port>",
      "a board that listens; may be given several times. Without it all boards named listen to each other",
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .option("--wait <seconds>", "how long to go on asking; usual: until every listener has scanned", seconds)
    .option("--baud <n>", "speed of the boards' consoles as they start", baudRate)
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", HELP)
    .action(prove);
};
