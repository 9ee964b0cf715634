import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { SCHEDULES } from "./find.ts";
import { bestWay, createFind, findCandidates, joined, type SieveJob, STEP, type Way } from "./sieve.ts";
import { addonPath } from "./sieve-native.ts";
import { engineModule, instantiateFind } from "./sieve-wasm.ts";

/** What a worker is given: all of it is shared, but for the module, which can be copied. */
interface WorkerData {
  schedule: number;
  keySize: number;
  keys: Uint8Array;
  from: Uint32Array;
  lengths: Uint32Array;
  before: Uint32Array;
  first: number;
  bitmap: Uint8Array;
  bitmapShift: number;
  slots: BigUint64Array;
  slotShift: number;
  factor: number;
  /** The number of the next key that no worker has taken. */
  next: Int32Array;
  step: number;
  addon: string | null;
  module: object | null;
}

/** What a worker tells of each step: its first key, and which of them are candidates, counted from there. */
interface Step {
  start: number;
  count: number;
  candidates: Uint32Array;
}

// Text, not a file: a worker thread can't load TypeScript, and this runs from the sources as well as from dist/.
const WORKER = `
const { parentPort, workerData: job } = require("node:worker_threads");
const instantiateFind = ${instantiateFind.toString()};
let find;
if (job.addon === null) find = instantiateFind(job.module);
else find = require(job.addon).findCandidates;
const total = job.from.length;
for (;;) {
  const start = Atomics.add(job.next, 0, job.step);
  if (start >= total) break;
  const end = Math.min(start + job.step, total);
  const candidates = new Uint32Array(end - start);
  const found = find(job.schedule, job.keys.subarray(job.keySize * start, job.keySize * end), job.from.subarray(start, end), job.lengths.subarray(start, end),
    job.before, job.first, job.bitmap, job.bitmapShift, job.slots, job.slotShift, job.factor, candidates);
  parentPort.postMessage({ start, count: end - start, candidates: candidates.slice(0, found) });
}
`;

function shared<T extends Uint8Array | Uint32Array | BigUint64Array | Int32Array>(column: T): T {
  const type = column.constructor as { new (buffer: SharedArrayBuffer): T };
  const copy = new type(new SharedArrayBuffer(column.byteLength));
  (copy as Uint8Array).set(column as Uint8Array);
  return copy;
}

/** So many keys are worth a thread of their own: a tenth of a second's work, or a second's without native code. */
const KEYS_A_WORKER = 100_000;

/** findCandidates() by as many threads as it is worth. */
export async function findFast(job: SieveJob, onProgress?: (done: number) => void): Promise<Uint32Array> {
  const workers = Math.min(availableParallelism(), Math.ceil(job.keys.from.length / KEYS_A_WORKER));
  return workers > 1 ? findInWorkers(job, bestWay(), workers, onProgress) : findCandidates(job, bestWay(), onProgress);
}

/**
 * findCandidates() by several threads at once. The answer is the same, whatever their number.
 * @throws Error of a worker that dies: out of memory, say.
 */
export async function findInWorkers(job: SieveJob, way: Way, workers: number, onProgress?: (done: number) => void): Promise<Uint32Array> {
  const { keys, heard, wanted } = job;
  // The addon's tables are the same for all threads: they are made here, for a worker that made them anew would spoil what another looks for meanwhile.
  if (way === "native") createFind(way);
  const data: WorkerData = {
    schedule: SCHEDULES[keys.schedule],
    keySize: keys.schedule === "dp3t" ? 32 : 16,
    keys: shared(keys.bytes),
    from: shared(keys.from),
    lengths: shared(keys.lengths),
    before: shared(wanted.before),
    first: wanted.first,
    bitmap: shared(heard.bitmap),
    bitmapShift: heard.bitmapShift,
    slots: shared(heard.slots),
    slotShift: heard.slotShift,
    factor: heard.factor,
    next: shared(new Int32Array(1)),
    step: STEP,
    addon: way === "native" ? addonPath() : null,
    module: way === "wasm" ? engineModule() : null,
  };
  const steps: Step[] = [];
  let done = 0;
  const threads = Array.from({ length: workers }, () => new Worker(WORKER, { eval: true, workerData: data }));
  try {
    await Promise.all(
      threads.map(
        (thread) =>
          new Promise<void>((resolve, reject) => {
            thread.on("message", (step: Step) => {
              steps.push(step);
              done += step.count;
              onProgress?.(done);
            });
            thread.on("error", reject);
            thread.on("exit", () => resolve());
          }),
      ),
    );
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  // a worker that ends in silence must not hide an exposure
  if (done !== keys.from.length)
    throw new Error(`a thread of the search ended early: ${done} of ${keys.from.length} keys were looked for; try again`);
  return joined(steps.sort((a, b) => a.start - b.start).map(({ start, candidates }) => candidates.map((number) => start + number)));
}
