import { existsSync } from "node:fs";
import { ABILITIES, type Ability, build, NO_INTERPRETER } from "./abilities.ts";
import { ESPRUINO_BIN } from "./interpreter.ts";

/** Says once what will be tested and what the build at hand can't be tested for. */
export default async function announce(): Promise<void> {
  if (NO_INTERPRETER) {
    console.log("real interpreter suite skipped: set ESPRUINO_BIN to an Espruino Linux binary (2v29 or later; see docs/espruino-notes.md)");
    return;
  }
  if (!existsSync(ESPRUINO_BIN)) throw new Error(`ESPRUINO_BIN: there is no file ${ESPRUINO_BIN}`);
  const { version, abilities } = await build();
  console.log(`real interpreter: Espruino ${version}`);
  for (const [ability, what] of Object.entries(ABILITIES))
    if (!abilities.has(ability as Ability)) console.log(`  lacks ${ability}, so some parts are skipped: ${what}`);
}
