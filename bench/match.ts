import { spawnSync } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeCrypto } from "../host-tools/node-crypto.ts";
import { projectRoot } from "../host-tools/project.ts";
import { type ExposureKey, encodeExport } from "../protocols/gaen/export-file.ts";
import { metadataKey, rollingProximityIdentifier, rollingProximityIdentifierKey } from "../protocols/gaen/key-schedule.ts";
import { encryptMetadata } from "../protocols/gaen/metadata.ts";

// Keys a CPU-second: ours and three others over the same 100,000 keys and 100,000 identifiers heard, turn by turn in one run, each in a process of its own, each result
// compared with what was planted. Others look at as many of the keys as take a second or two.
//   node dist/bench/match.js [--json] [--rounds N]

const KEYS = 100_000;
const MILLION = 1_000_000;
const HEARD = 100_000;
const PLANTED = 100;
const DAYS = 14;
const FIRST = 2_940_192;

interface Run {
  cpuSeconds: number;
  found: [number | string, number][];
}
interface EngineRun extends Run {
  way: string;
  parsed: number;
  combined: number;
  peakBytes: number;
}

const bench = import.meta.dirname;
const peers = join(projectRoot(), "bench", "match-peers");
const folder = mkdtempSync(join(tmpdir(), "bench-match-"));

/** Why something can't be measured here. */
class Missing extends Error {}

function answerOf<R extends Run>(command: string, parameters: string[]): R {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: "utf8", maxBuffer: 2 ** 28 });
  if (error || status !== 0) throw new Missing(error?.message ?? stderr.trim().split("\n").at(-1) ?? `exit code ${status}`);
  return JSON.parse(stdout) as R;
}

/** Keys of the last two weeks, what was heard in them, and the pairs that were planted, as `key hex interval`. */
function writeWorld(): { keys: ExposureKey[]; planted: string[] } {
  const bytes = randomBytes(16 * KEYS);
  const keys = Array.from({ length: KEYS }, (_, i): ExposureKey => {
    const key = new Uint8Array(bytes.subarray(16 * i, 16 * i + 16));
    return { key, transmissionRisk: 1, rollingStart: FIRST + 144 * randomInt(DAYS), rollingPeriod: 144, reportType: 1, daysSinceOnset: 0 };
  });
  const identifiers = randomBytes(16 * HEARD);
  const metadata = randomBytes(4 * HEARD);
  const times = Buffer.alloc(4 * HEARD);
  for (let i = 0; i < HEARD; i++) times.writeUInt32LE(FIRST * 600 + randomInt(DAYS * 86_400), 4 * i);
  const planted: string[] = [];
  for (let n = 0; n < PLANTED; n++) {
    // spread, so that those who look at the first keys only find some too
    const { key, rollingStart } = keys[Math.floor(KEYS * (n / PLANTED) ** 4)];
    const interval = randomInt(144);
    const place = Math.floor((HEARD * n) / PLANTED);
    const rpi = rollingProximityIdentifier(nodeCrypto, rollingProximityIdentifierKey(nodeCrypto, key), rollingStart + interval);
    identifiers.set(rpi, 16 * place);
    metadata.set(encryptMetadata(nodeCrypto, metadataKey(nodeCrypto, key), rpi, Uint8Array.of(0x40, 8, 0, 0)), 4 * place);
    times.writeUInt32LE((rollingStart + interval) * 600, 4 * place);
    planted.push(`${Buffer.from(key).toString("hex")} ${interval}`);
  }
  const starts = Buffer.alloc(4 * KEYS);
  keys.forEach(({ rollingStart }, i) => {
    starts.writeUInt32LE(rollingStart, 4 * i);
  });
  const files = { "keys.bin": bytes, "starts.bin": starts, "identifiers.bin": identifiers, "metadata.bin": metadata, "times.bin": times };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return { keys, planted };
}

function writeExport(keys: ExposureKey[]): void {
  const header = {
    start: FIRST * 600,
    end: FIRST * 600 + DAYS * 86_400,
    region: "QX",
    batchNumber: 1,
    batchSize: 1,
    signatureInfos: [],
    revisedKeys: [],
  };
  writeFileSync(join(folder, "export.bin"), encodeExport({ ...header, keys }));
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

function main(rounds: number, json: boolean): void {
  const { keys, planted } = writeWorld();
  const names = keys.map(({ key }) => Buffer.from(key).toString("hex"));
  const expected = (count: number) => {
    const first = new Set(names.slice(0, count));
    return [...new Set(planted.filter((pair) => first.has(pair.slice(0, 32))))].sort();
  };
  /** Throws where something else was found than was planted: then the figure means nothing. */
  const check = (who: string, { found }: Run, count: number) => {
    const pairs = [...new Set(found.map(([key, interval]) => `${typeof key === "number" ? names[key] : key} ${interval}`))].sort();
    if (JSON.stringify(pairs) !== JSON.stringify(expected(count)))
      throw new Error(`${who}: found ${pairs.length} of ${expected(count).length} planted pairs`);
  };
  const engine = (how: string) => answerOf<EngineRun>(process.execPath, ["--expose-gc", join(bench, "match-engine.js"), folder, how]);
  let binary: string | undefined;
  const contenders: { [name: string]: { keys: number; run: () => Run } } = {
    best: { keys: KEYS, run: () => engine("best") },
    wasm: { keys: KEYS, run: () => engine("wasm") },
    naiveNode: { keys: 2_000, run: () => answerOf(process.execPath, [join(bench, "match-naive.js"), folder, "2000"]) },
    python: { keys: 4_000, run: () => answerOf("/usr/bin/python3", [join(peers, "match.py"), folder, "4000", "each"]) },
    pythonInOneCall: { keys: 8_000, run: () => answerOf("/usr/bin/python3", [join(peers, "match.py"), folder, "8000", "together"]) },
    openssl: {
      keys: KEYS,
      run: () => {
        if (!binary) {
          binary = join(folder, "match-openssl");
          const { status, stderr, error } = spawnSync("cc", ["-O3", "-o", binary, join(peers, "match.c"), "-lcrypto"], { encoding: "utf8" });
          if (error || status !== 0)
            throw new Missing(
              error ? `no C compiler (${error.message})` : `doesn't compile: ${stderr.split("\n").find((line) => line.includes("error"))}`,
            );
        }
        return answerOf(binary, [folder, String(KEYS)]);
      },
    },
  };

  writeExport(keys);
  const rates: { [name: string]: number[] } = {};
  const missing: { [name: string]: string } = {};
  let way = "";
  for (let round = 0; round < rounds; round++) {
    for (const [name, { keys: count, run }] of Object.entries(contenders)) {
      if (missing[name]) continue;
      try {
        const result = run();
        check(name, result, count);
        if (name === "best") way = (result as EngineRun).way;
        rates[name] = [...(rates[name] ?? []), count / result.cpuSeconds];
      } catch (error) {
        if (!(error instanceof Missing) || name === "best" || name === "wasm") throw error;
        missing[name] = error.message;
      }
    }
  }
  const small = engine("best").peakBytes;
  const many = randomBytes(16 * (MILLION - KEYS));
  writeExport([
    ...keys,
    ...Array.from({ length: MILLION - KEYS }, (_, i) => ({ ...keys[i % KEYS], key: new Uint8Array(many.subarray(16 * i, 16 * i + 16)) })),
  ]);
  const millions = Array.from({ length: rounds }, () => {
    const run = engine("best");
    check("a million keys", run, KEYS);
    return run;
  });

  const rate = (name: string) => (rates[name] ? Math.round(median(rates[name])) : null);
  const ratio = (name: string) => (rates[name] ? Number((median(rates.best) / median(rates[name])).toFixed(2)) : null);
  const figures = {
    keysPerCpuSecond: rate("best"),
    ratio: { python: ratio("python"), naiveNode: ratio("naiveNode"), openssl: ratio("openssl") },
    missing,
    way,
    rounds,
    slowestRound: Math.round(Math.min(...rates.best)),
    rates: {
      wasm: rate("wasm"),
      python: rate("python"),
      pythonInOneCall: rate("pythonInOneCall"),
      naiveNode: rate("naiveNode"),
      openssl: rate("openssl"),
    },
    million: {
      parseCpuSeconds: median(millions.map(({ parsed }) => parsed)),
      combineCpuSeconds: median(millions.map(({ combined }) => combined)),
      matchCpuSeconds: median(millions.map(({ cpuSeconds }) => cpuSeconds)),
      /** Of the process at its largest, and how much more than with a tenth of the keys. */
      peakMegabytes: Math.round(median(millions.map(({ peakBytes }) => peakBytes)) / 1e6),
      moreThanTenth: Math.round((median(millions.map(({ peakBytes }) => peakBytes)) - small) / 1e6),
    },
  };
  if (json) console.log(JSON.stringify(figures));
  else console.log(`${KEYS} keys, ${HEARD} identifiers heard, ${expected(KEYS).length} planted pairs, all found`, figures);
}

const at = process.argv.indexOf("--rounds");
try {
  main(at < 0 ? 5 : Math.max(1, Number(process.argv[at + 1]) || 5), process.argv.includes("--json"));
} finally {
  rmSync(folder, { recursive: true });
}
