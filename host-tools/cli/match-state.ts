import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import { ConfigError } from "../errors.ts";
import { type LookedFor, nothingYet } from "../matching/looked-for.ts";

// The file of `tracelet match --state`. It only saves time: whoever deletes it has everything looked for again. A file that was damaged could hide an exposure, so its
// digest must fit, or it counts for nothing. It is for its owner alone: its candidates are keys that were nearly all heard.

/** Another number as soon as more is looked for than before (a wider margin in time, say), or a fault of the sieve hid something: what was looked for until then must be looked for again. */
const FORMAT = "tracelet match state 1";

const content = z.object({
  format: z.literal(FORMAT),
  exports: z.array(z.string()),
  encounters: z.array(z.string()),
  candidates: z.array(z.string()),
});
const file = z.object({ sha256: z.string(), content });

const digestOf = (value: z.infer<typeof content>) => createHash("sha256").update(JSON.stringify(value)).digest("hex");

/** What a file remembers; and why it can't be used, where it can't. None there: nothing yet. */
export function readState(path: string): { lookedFor: LookedFor; problem?: string } {
  if (!existsSync(path)) return { lookedFor: nothingYet() };
  try {
    const { sha256, content: kept } = file.parse(JSON.parse(readFileSync(path, "utf8")));
    if (digestOf(kept) !== sha256) return { lookedFor: nothingYet(), problem: "its digest is wrong, so it was damaged" };
    return { lookedFor: { exports: new Set(kept.exports), encounters: new Set(kept.encounters), candidates: new Set(kept.candidates) } };
  } catch (error) {
    const isFile = (error as NodeJS.ErrnoException).code === undefined;
    return { lookedFor: nothingYet(), problem: isFile ? "it is no state of this version of tracelet match" : (error as Error).message };
  }
}

/** Written beside it and put in its place, so that a power cut leaves the old one or the new one. @throws ConfigError "no_file" */
export function writeState(path: string, { exports, encounters, candidates }: LookedFor): void {
  const kept: z.infer<typeof content> = { format: FORMAT, exports: [...exports], encounters: [...encounters], candidates: [...candidates] };
  try {
    writeFileSync(`${path}.new`, JSON.stringify({ sha256: digestOf(kept), content: kept }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new ConfigError("no_file", `${path}: can't be written (${(cause as Error).message}); check the folder and your rights to it`, { cause });
  }
}
