import { readFileSync } from "node:fs";
import { join } from "node:path";
import { combineExports } from "../host-tools/matching/diagnosis-keys.ts";
import { bestWay, type Way } from "../host-tools/matching/engine/sieve.ts";
import { type HeardIdentifier, matchEncounters } from "../host-tools/matching/matcher.ts";
import { nodeCrypto } from "../host-tools/node-crypto.ts";
import { decodeExportColumns } from "../protocols/gaen/key-columns.ts";

// Tracelet's own matching in a process of its own, as bench/match.ts starts it. Arguments: folder, how (native, wasm or best).
// From the bytes of export.bin and from encounters to exposures by all the rules.

const [folder, how] = process.argv.slice(2);
const file = (name: string) => readFileSync(join(folder, name));
const cpuSeconds = (since: NodeJS.CpuUsage) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

const exported = new Uint8Array(file("export.bin"));
const way: Way = how === "best" ? bestWay() : (how as Way);

const beforeParse = process.cpuUsage();
const columns = decodeExportColumns(exported);
if (!columns) throw new Error("export.bin can't be read");
const parsed = cpuSeconds(beforeParse);

const [identifiers, metadata, times] = [file("identifiers.bin"), file("metadata.bin"), file("times.bin")];
const heard: HeardIdentifier[] = [];
for (let i = 0; 16 * i < identifiers.length; i++) {
  const firstSeen = times.readUInt32LE(4 * i);
  const rpi = new Uint8Array(identifiers.subarray(16 * i, 16 * i + 16));
  heard.push({ rpi, aem: new Uint8Array(metadata.subarray(4 * i, 4 * i + 4)), board: "board", firstSeen, lastSeen: firstSeen + 300, maxRssi: -60 });
}
// what reading has left behind is no part of matching
globalThis.gc?.();
const begun = process.cpuUsage();
const { keys } = combineExports([columns]);
const combined = cpuSeconds(begun);
const { exposures } = matchEncounters(nodeCrypto, keys, heard, way);
const all = cpuSeconds(begun);

const found = exposures.map(({ key, interval }) => [Buffer.from(key.key).toString("hex"), interval - key.rollingStart]);
console.log(JSON.stringify({ way, parsed, combined, cpuSeconds: all - combined, found, peakBytes: process.resourceUsage().maxRSS * 1024 }));
