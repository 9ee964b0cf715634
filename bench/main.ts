import { bangle2 } from "../boards/bangle2.ts";
import { BOARDS } from "../boards/index.ts";
import { ToolError } from "../host-tools/errors.ts";
import { buildFirmware } from "../host-tools/generator/bundle.ts";
import { measureBlueTrace } from "./bluetrace.ts";
import { measureDelivery } from "./delivery.ts";
import { measureInterpreter } from "./interpreter.ts";
import { cutEverywhere } from "./log-cuts.ts";
import { liveLong } from "./log-history.ts";
import { measureProtocols } from "./protocols.ts";
import { measureRisk } from "./risk.ts";
import { measureAir } from "./virtual-air.ts";
import { measureWeek } from "./week.ts";
import { measurePull, measureWorld } from "./worn-world.ts";

/** Figures by name; each is counted or is a ratio, so that it means something on another machine. */
const BENCHES: { [name: string]: () => Promise<unknown> } = {
  async bundles() {
    const rows = [];
    for (const role of ["wearable", "beacon", "scanner"]) {
      const { manifest } = await buildFirmware({ board: BOARDS.find((board) => board.id === "puckjs")!, role, protocols: ["gaen"] });
      const { guaranteedEncounters, maximumEncounters, codePages } = manifest.flash;
      rows.push({ role, bytes: manifest.bytes, codePages, variables: manifest.variables.estimated, guaranteedEncounters, maximumEncounters });
    }
    return rows;
  },
  pull: measurePull,
  async world() {
    return [await measureWorld({ boards: 3, hours: 24, metres: 5 }), await measureWorld({ boards: 20, hours: 24, metres: 200 })];
  },
  air: async () => measureAir({ boards: 100, hours: 24, metres: 200 }),
  week: () => measureWeek({ people: 40, days: 7 }),
  // six minutes beside a SmartBeacon, 12,800 times, and whole boards beside each other
  delivery: () => measureDelivery({ worlds: 400, visits: 60 }),
  // some eighty bundles
  protocols: measureProtocols,
  // two tokens and twenty, each for two hours with two schedules
  bluetrace: measureBlueTrace,
  // windows and exposures from encounters against those from every sighting
  async risk() {
    const rows = [];
    for (const moving of [false, true]) {
      for (const [scanTime, recordForm] of [
        [2, 0],
        [4, 0],
        [2, 1],
      ])
        rows.push(await measureRisk({ pairs: 10, meetings: 7, scanTime: scanTime!, recordForm: recordForm!, moving }));
    }
    return rows;
  },
  interpreter: measureInterpreter,
  // every byte of every write of a log's life, some bits of every word, every erase in fourteen ways; then the same life on a chip on SPI, any bits of every program operation: two minutes
  cuts: async () => [await cutEverywhere(await liveLong(2, 6)), await cutEverywhere(await liveLong(2, 6, 1, bangle2))],
};
/** Only when asked for by name. */
const LONG = ["bluetrace", "cuts", "delivery", "protocols"];

const asked = process.argv.slice(2).filter((argument) => argument !== "--json");
const unknown = asked.find((name) => !BENCHES[name]);
if (unknown !== undefined) {
  process.stderr.write(`bench: ${unknown} is none of ${Object.keys(BENCHES).join(", ")}\n`);
  process.exit(2);
}
const figures: { [name: string]: unknown } = {};
for (const name of asked.length > 0 ? asked : Object.keys(BENCHES).filter((name) => !LONG.includes(name))) {
  try {
    figures[name] = await BENCHES[name]!();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    figures[name] = { missing: error.message };
  }
  if (!process.argv.includes("--json")) console.log(`${name}:`, figures[name]);
}
if (process.argv.includes("--json")) console.log(JSON.stringify(figures));
