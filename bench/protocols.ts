import { PROTOCOLS, ROLES, refusal } from "../boards/capabilities.ts";
import { BOARDS } from "../boards/index.ts";
import { puckjs } from "../boards/puckjs.ts";
import { ToolError } from "../host-tools/errors.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { batteryDays } from "../host-tools/power/charge.ts";
import { estimate, PLAIN, type Schedule, type Speech, usualNeighbours, usualSchedule } from "../host-tools/power/model.ts";
import { COIN_CELL, USABLE } from "../host-tools/power/schedule.ts";

/** Each protocol alone, and what goes together. */
const SETS: { role: string; protocols: string[]; with?: string[] }[] = [
  ...Object.keys(PROTOCOLS).map((name) => ({ role: "wearable", protocols: [name] })),
  { role: "wearable", protocols: ["gaen", "dp3t"] },
  { role: "wearable", protocols: ["gaen", "dp3t-unlinkable"] },
  { role: "wearable", protocols: ["gaen", "smartbeacon"] },
  { role: "wearable", protocols: ["gaen", "dp3t", "smartbeacon"] },
  { role: "wearable", protocols: ["gaen", "dp3t", "ct10", "smartbeacon"] },
  { role: "wearable", protocols: ["dp3t"], with: ["gatt"] },
  { role: "wearable", protocols: ["gaen", "dp3t"], with: ["gatt"] },
  { role: "wearable", protocols: ["gaen", "opencovidtrace"] },
  { role: "wearable", protocols: ["gaen", "dp3t", "opencovidtrace"], with: ["gatt"] },
  { role: "scanner", protocols: ["gaen", "dp3t", "opencovidtrace"], with: ["gatt"] },
  { role: "beacon", protocols: ["opencovidtrace"] },
  { role: "beacon", protocols: ["gaen", "dp3t"] },
  { role: "scanner", protocols: ["gaen", "dp3t", "ct10", "smartbeacon"] },
  { role: "smartbeacon", protocols: ["smartbeacon"] },
  { role: "collector", protocols: ["smartbeacon"] },
];

/** What fits which board: bytes and pages of code, variables once it is loaded (estimated by the generator), encounters of all protocols together; or why not. */
export async function measureProtocols() {
  const rows = [];
  for (const { role, protocols, with: features } of SETS)
    for (const board of BOARDS) {
      const what = { board: board.id, role, protocols: protocols.join("+"), ...(features && { with: features.join("+") }) };
      const refused = refusal(board, role, protocols);
      if (refused) {
        rows.push({ ...what, refused });
        continue;
      }
      try {
        const { manifest } = await buildFirmware({ board, role, protocols, ...(features && { with: features }) });
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

/** A Puck.js's day by the published currents: mean current, its parts, charge of the day and days on a CR2032. */
function measureEnergy() {
  const day = (what: string, role: string, settings: Partial<Schedule> = {}, speech: Partial<Speech> = {}) => {
    const { mean, parts } = estimate(puckjs, role, usualSchedule(role, settings), { neighbours: usualNeighbours(role) }, { ...PLAIN, ...speech });
    const microamps = (part: number | undefined) => Math.round((part ?? 0) * 10) / 10;
    return {
      what,
      microamps: microamps(mean),
      advertising: microamps(parts.advertising),
      scanning: microamps(parts.scanning),
      processor: microamps(parts.cpu),
      milliampereHoursADay: Math.round(mean * 24) / 1000,
      daysOnCoinCell: Math.round(batteryDays(mean, COIN_CELL * USABLE)),
    };
  };
  return [
    day("smartbeacon, B1 each 100 ms", "smartbeacon", {}, { carrier: "message" }),
    day("smartbeacon, B1 each 250 ms", "smartbeacon", { advertisingInterval: 250 }, { carrier: "message" }),
    day("smartbeacon, B3 each 100 ms", "smartbeacon"),
    day("collector, 4 s of 30 s", "collector"),
    day("wearable, GAEN; linked to others the same", "wearable"),
    day("wearable, several in turns", "wearable", {}, { inTurns: true }),
  ];
}
