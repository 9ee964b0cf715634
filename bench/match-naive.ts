import { createCipheriv, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

// What one writes first: HKDF of Node.js, a cipher for each of the 144 identifiers, a set of texts. Arguments: folder, number of keys. See bench/match.ts.

const [folder, count] = process.argv.slice(2);
const [keys, starts, identifiers] = ["keys.bin", "starts.bin", "identifiers.bin"].map((name) => readFileSync(join(folder, name)));

const begun = process.cpuUsage();
const heard = new Set<string>();
for (let i = 0; i < identifiers.length; i += 16) heard.add(identifiers.toString("latin1", i, i + 16));
const found: [number, number][] = [];
for (let number = 0; number < Number(count); number++) {
  const rpik = Buffer.from(hkdfSync("sha256", keys.subarray(16 * number, 16 * number + 16), Buffer.alloc(0), "EN-RPIK", 16));
  for (let i = 0; i < 144; i++) {
    const padded = Buffer.alloc(16);
    padded.write("EN-RPI");
    padded.writeUInt32LE(starts.readUInt32LE(4 * number) + i, 12);
    const rpi = createCipheriv("aes-128-ecb", rpik, null).setAutoPadding(false).update(padded);
    if (heard.has(rpi.toString("latin1"))) found.push([number, i]);
  }
}
const { user, system } = process.cpuUsage(begun);
console.log(JSON.stringify({ cpuSeconds: (user + system) / 1e6, found }));
