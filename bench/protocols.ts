import { PROTOCOLS, ROLES, refusal } from "../boards/capabilities.ts";
import { BOARDS } from "../boards/index.ts";
import { puckjs } from "../boards/puckjs.ts";
import { ToolError } from "../host-tools/errors.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { charge } from "../host-tools/power/charge.ts";
import { DEFAULT_NEIGHBOURS, dayOf, SECONDS_PER_INSTRUCTION } from "../host-tools/power/model.ts";
import { COIN_CELL, initialSchedule, USABLE } from "../host-tools/power/schedule.ts";

const DAY = 86400;

/** Each protocol alone, and what goes together. */
const SETS: { role: string; protocols: string[] }[] = [
  ...Object.keys(PROTOCOLS).map((name) => ({ role: "wearable", protocols: [name] })),
  { role: "wearable", protocols: ["gaen", "dp3t"] },
  { role: "wearable", protocols: ["gaen", "dp3t-unlinkable"] },
  { role: "wearable", protocols: ["gaen", "smartbeacon"] },
  { role: "wearable", protocols: ["gaen", "dp3t", "smartbeacon"] },
  { role: "wearable", protocols: ["gaen", "dp3t", "ct10", "smartbeacon"] },
  { role: "beacon", protocols: ["gaen", "dp3t"] },
  { role: "scanner", protocols: ["gaen", "dp3t", "ct10", "smartbeacon"] },
  { role: "smartbeacon", protocols: ["smartbeacon"] },
  { role: "collector", protocols: ["smartbeacon"] },
];

/** What fits which board: bytes and pages of code, variables once it is loaded (estimated by the generator), encounters of all protocols together; or why not. */
export async function measureProtocols() {
  const rows = [];
  for (const { role, protocols } of SETS)
    for (const board of BOARDS) {
      const what = { board: board.id, role, protocols: protocols.join("+") };
      const refused = refusal(board, role, protocols);
      if (refused) {
        rows.push({ ...what, refused });
        continue;
      }
      try {
        const { manifest } = await buildFirmware({ board, role, protocols });
        const { codePages, guaranteedEncounters, maximumEncounters } = manifest.flash;
        const { estimated, total } = manifest.variables;
        const log = ROLES[role]!.scan && role !== "collector" ? { guaranteedEncounters, maximumEncounters } : {};
        rows.push({ ...what, bytes: manifest.bytes, codePages, variables: estimated, of: total, ...log });
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        rows.push({ ...what, refused: error.message });
      }
    }
  return { fits: rows, energy: measureEnergy() };
}

/** Instructions of a message of each carrier, measured with callgrind (docs/performance.md). */
const MESSAGE_INSTRUCTIONS = { B1: 9.3e6, B3: 7.6e6 };
/** Of a turn: a rotation's, measured, less the arithmetic of a fresh identifier. An estimate: no turn has been measured. */
const TURN_INSTRUCTIONS = 2.9e6 - 0.7e6;
const TURN_SECONDS = 1.5;

/** A Puck.js's day by the published currents: mean current, its parts, charge of the day and days on a CR2032. */
function measureEnergy() {
  const surroundings = { neighbours: DEFAULT_NEIGHBOURS };
  const day = (what: string, role: string, settings: { [name: string]: number }, cpuInstructions?: number, instead = false) => {
    const usage = dayOf(puckjs, role, initialSchedule(settings), surroundings);
    if (cpuInstructions !== undefined) usage.cpuSeconds = (instead ? 0 : usage.cpuSeconds) + cpuInstructions * SECONDS_PER_INSTRUCTION;
    const { mean, advertising, scanning, cpu } = charge(puckjs, usage);
    const microamps = (part: number | undefined) => Math.round(((part ?? 0) / DAY) * 10) / 10;
    return {
      what,
      microamps: microamps(mean * DAY),
      advertising: microamps(advertising),
      scanning: microamps(scanning),
      processor: microamps(cpu),
      milliampereHoursADay: Math.round(mean * 24) / 1000,
      daysOnCoinCell: Math.round((COIN_CELL * USABLE * 1000) / (mean * 24)),
    };
  };
  const messages = DAY / 60;
  return [
    day("smartbeacon, B1 each 100 ms", "smartbeacon", { advertisingInterval: 100 }, messages * MESSAGE_INSTRUCTIONS.B1, true),
    day("smartbeacon, B1 each 250 ms", "smartbeacon", { advertisingInterval: 250 }, messages * MESSAGE_INSTRUCTIONS.B1, true),
    day("smartbeacon, B3 each 100 ms", "smartbeacon", { advertisingInterval: 100 }, messages * MESSAGE_INSTRUCTIONS.B3, true),
    day("collector, 4 s of 30 s", "collector", { scanTime: 4, cycleTime: 30 }),
    day("wearable, GAEN", "wearable", {}),
    day("wearable, GAEN and DP-3T linked", "wearable", {}),
    day("wearable, GAEN and DP-3T in turns", "wearable", {}, (DAY / TURN_SECONDS) * TURN_INSTRUCTIONS),
  ];
}
