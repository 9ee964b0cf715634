import { InvalidArgumentError, Option } from "commander";
import { ROLES, refusal, settingRefusal } from "../../boards/capabilities.ts";
import { BOARDS, findBoard } from "../../boards/index.ts";
import { parseChange } from "../device/config.ts";
import { ConfigError } from "../errors.ts";
import { CARRIER_NAMES, type CarrierName } from "../power/firmware-work.ts";
import { type Schedule, type Speech, unpublished, usualNeighbours } from "../power/model.ts";
import { compareWithPublished } from "../power/published.ts";
import { type Alternative, type Choice, COIN_CELL, chooseSchedule, settingsOf, USABLE, type Wish } from "../power/schedule.ts";
import { createOutput, type RegisterCommand } from "./output.ts";

interface Options {
  board: string;
  role: string;
  protocol?: string;
  turns?: boolean;
  carrier: CarrierName;
  days?: number;
  battery: number;
  usable: number;
  neighbours?: number;
  set: string[];
  json?: boolean;
}

function numberFrom(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most)) throw new InvalidArgumentError(`a number from ${least} to ${most}, got ${text}`);
    return value;
  };
}

const LONGEST_DAYS = 3650;
const LARGEST_BATTERY = 100_000;

const isSmart = (role: string) => role === "smartbeacon" || role === "collector";
/** What firmware of this role speaks where nobody says. */
const usualProtocol = (role: string) => (isSmart(role) ? "smartbeacon" : role === "token" ? "bluetrace" : "gaen");

/** A wish, and the protocols that the firmware would be built with. */
type Asked = Wish & { protocols: string[]; speech: Speech };

/** @throws ConfigError */
function wishFrom(options: Options): Asked {
  const facts = findBoard(options.board);
  if (!facts) throw new ConfigError("unknown_board", `no board is called "${options.board}"; known: ${BOARDS.map(({ id }) => id).join(", ")}`);
  if (!ROLES[options.role]) throw new ConfigError("unknown_role", `no role is called "${options.role}"; known: ${Object.keys(ROLES).join(", ")}`);
  const protocols = options.protocol?.split(",") ?? [usualProtocol(options.role)];
  const reason = refusal(facts, options.role, protocols);
  if (reason) throw new ConfigError("unfit_board", reason);
  const sent = ROLES[options.role].advertise ? protocols.filter((name) => name !== "smartbeacon") : [];
  if (options.turns && sent.length < 2)
    throw new ConfigError("usage", "--turns: only several protocols are sent in turns; name them with --protocol, such as gaen,dp3t");
  const missing = unpublished(facts, options.role);
  if (missing.length > 0) {
    const others = BOARDS.filter((board) => unpublished(board, options.role).length === 0).map(({ id }) => id);
    const what = missing.includes("sleep") ? "" : ` for ${missing.join(" and ")}; at rest it is ${facts.currents.sleep} uA`;
    throw new ConfigError(
      "no_currents",
      `nobody has published what a ${facts.name} uses${what}; boards with published currents: ${others.join(", ")}`,
    );
  }
  const fixed: Partial<Schedule> = {};
  for (const change of options.set.map(parseChange)) {
    const known = settingsOf(options.role);
    const name = known.find((one) => one === change.name);
    if (!name)
      throw new ConfigError(
        "bad_setting",
        `${change.name} has no effect on the battery of a ${options.role} that is worth counting; those that have: ${known.join(", ")}`,
      );
    const problem = settingRefusal(facts, name, change.value);
    if (problem) throw new ConfigError("bad_setting", problem);
    fixed[name] = change.value;
  }
  const { role, days, battery, usable, carrier, neighbours = usualNeighbours(role) } = options;
  return {
    facts,
    role,
    protocols,
    days,
    fixed,
    battery: { milliampereHours: battery, usable: usable / 100 },
    surroundings: { neighbours },
    speech: { inTurns: options.turns === true, carrier },
  };
}

function describeSchedule({ role }: Wish, schedule: Schedule): string {
  const { advertise, scan } = ROLES[role];
  return [
    ...(scan ? [`scan ${schedule.scanTime} s every ${schedule.cycleTime} s`] : []),
    ...(advertise ? [`advertise every ${schedule.advertisingInterval} ms at ${schedule.txPower} dBm`] : []),
    ...(role === "smartbeacon" ? [`a message every ${schedule.messagePeriod} s`] : []),
  ].join(", ");
}

const percent = (part: number) => `${(Math.floor(part * 1000 + 1e-9) / 10).toFixed(1)} %`;

function describeAlternative(wish: Wish, one: Alternative): string {
  const { advertise, scan } = ROLES[wish.role];
  const { schedule } = one;
  return [
    one.chosen ? "*" : " ",
    ...(scan ? [`${schedule.scanTime}`.padStart(5), `${schedule.cycleTime}`.padStart(6)] : []),
    ...(advertise ? [`${schedule.advertisingInterval}`.padStart(10), `${schedule.txPower}`.padStart(5)] : []),
    ...(wish.role === "smartbeacon" ? [`${schedule.messagePeriod}`.padStart(8)] : []),
    one.meanMicroamps.toFixed(0).padStart(6),
    one.days.toFixed(0).padStart(6),
    ...(one.heard ? Object.values(one.heard).map((part) => percent(part).padStart(9)) : []),
    ...(one.reach === undefined ? [] : [`× ${one.reach.toFixed(2)}`.padStart(8)]),
  ].join(" ");
}

/** For a person. */
function describe(wish: Asked, choice: Choice): string {
  const { battery, facts, role, days, surroundings, protocols, speech } = wish;
  const neighbours = `${role === "collector" ? "SmartBeacon" : "neighbour"}${surroundings.neighbours === 1 ? "" : "s"}`;
  const sends = role === "smartbeacon" ? `, ${speech.carrier}` : speech.inTurns ? ", in turns" : "";
  const { advertise, scan } = ROLES[role];
  const [lowest, highest] = choice.daysRange;
  const rows = [
    [
      "board",
      `${facts.name} as a ${role} of ${protocols.join(", ")}${sends}${role === "smartbeacon" ? "" : `; ${surroundings.neighbours} ${neighbours} on average`}`,
    ],
    ["battery", `${battery.milliampereHours} mAh, of which ${Math.round(battery.usable * 100)} % count`],
    ["schedule", describeSchedule(wish, choice.schedule)],
    ["current", `${choice.meanMicroamps.toFixed(0)} uA on average`],
    ["lasts", `${choice.days.toFixed(0)} days (${lowest.toFixed(0)} to ${highest.toFixed(0)} if every figure is off as far as it may be)`],
    [
      "parts",
      Object.entries(choice.estimate.parts)
        .map(([part, mean]) => `${part} ${mean.toFixed(1)}`)
        .join(", ") + " uA",
    ],
    ...(days === undefined ? [] : [["wanted", `${days} days: ${choice.reached ? "reached" : "not reached"}`]]),
  ];
  const head = [
    " ",
    ...(scan ? ["scan".padStart(5), "cycle".padStart(6)] : []),
    ...(advertise ? ["advertise".padStart(10), "dBm".padStart(5)] : []),
    ...(role === "smartbeacon" ? ["message".padStart(8)] : []),
    "uA".padStart(6),
    "days".padStart(6),
    ...(scan ? ["1 min", "5 min", "15 min"].map((minutes) => minutes.padStart(9)) : []),
    ...(advertise ? ["reach".padStart(8)] : []),
  ].join(" ");
  return [
    ...rows.map(([name, value]) => `${name.padEnd(8)}  ${value}`),
    ...choice.notes,
    "",
    `What other settings cost${scan ? "; 1, 5, 15 min: the chance that an encounter of that length is heard" : ""}:`,
    head,
    ...choice.alternatives.map((one) => describeAlternative(wish, one)),
  ].join("\n");
}

const EXAMPLES = `
With --days it chooses: at least the scans GAEN demands (2 s every 5 minutes), more of them if there is room; advertising slower than GAEN recommends only if
nothing else will do. A SmartBeacon advertises as often as there is room, a collector listens as often. What --set names stays as it is. All of it is computed from published currents, not measured: see docs/energy.md.

Examples:
  tracelet power --board puckjs
  tracelet power --board puckjs --days 60
  tracelet power --board puckjs --protocol gaen,dp3t --turns
  tracelet power --board puckjs --role smartbeacon --carrier message
  tracelet power --board puckjs --role token --set cycleTime=300 --set scanTime=4
  tracelet power --board puckjs --role beacon --days 365 --battery 1000 --set txPower=-8 --json`;

export const register: RegisterCommand = (program) => {
  program
    .command("power")
    .description("how long a battery lasts, and which settings make it last as long as you want")
    .requiredOption("--board <id>", "board: " + BOARDS.map(({ id }) => id).join(", "))
    .option("--role <role>", "what it does", "wearable")
    .option("--protocol <names>", "what it speaks; several with commas (default: gaen, or what the role is for)")
    .option("--turns", "several protocols are sent in turns, each from an address of its own (privateAddress=1)")
    .addOption(new Option("--carrier <name>", "what a smartbeacon sends").choices([...CARRIER_NAMES]).default("token"))
    .option("--days <n>", "how long it shall last", numberFrom(1, LONGEST_DAYS))
    .option("--battery <mAh>", "its capacity; a CR2032 has 225", numberFrom(1, LARGEST_BATTERY), COIN_CELL)
    .option("--usable <percent>", "how much of that counts", numberFrom(1, 100), USABLE * 100)
    .option("--neighbours <n>", "others in reach, on average over day and night (default: 5; a collector's SmartBeacons 1)", numberFrom(0, 1000))
    .option("--set <key=value>", "a setting that is decided; may be given several times", (text: string, before: string[]) => [...before, text], [])
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", EXAMPLES)
    .action((options: Options) => {
      const wish = wishFrom(options);
      const choice = chooseSchedule(wish);
      const { estimate, ...rest } = choice;
      createOutput(options.json === true).result(
        {
          board: wish.facts.id,
          role: wish.role,
          protocols: wish.protocols,
          ...wish.speech,
          battery: wish.battery,
          neighbours: wish.surroundings.neighbours,
          wanted: wish.days ?? null,
          ...rest,
          meanRange: estimate.range,
          parts: estimate.parts,
          unknown: estimate.unknown,
          borrowed: estimate.borrowed,
          errors: compareWithPublished(),
        },
        describe(wish, choice),
      );
    });
};
