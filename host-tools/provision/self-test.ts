import { createHash } from "node:crypto";
import { ROLES } from "../../boards/capabilities.ts";
import { findBoard } from "../../boards/index.ts";
import { type Board, decodeBlockAnswer } from "../device/board.ts";
import { sleep } from "../device/host-clock.ts";
import type { Repl } from "../device/repl.ts";
import { DeviceError } from "../errors.ts";
import { decodeBlock } from "../store/log-decoder.ts";
import type { HeardAround } from "./bare-radio.ts";

export interface SelfTest {
  /** Known answers of what the interpreter brings; `by`: whom the firmware asks for AES (`cr` of the status). */
  crypto: { aes: boolean | null; sha256: boolean | null; by: string | null };
  radio: { advertising: boolean; errors: number; around: HeardAround | null };
  /** Records that were read back from flash, how many of them failed their check, and the firmware's own count of errors. */
  flash: { records: number; damaged: number; errors: number };
  battery: { millivolts: number };
  /** Board minus hub, ms, and what the board gained over the hub in so many seconds. */
  clock: { offsetMs: number; gainedMs: number; seconds: number };
  /** What the user should know; the board is all right. */
  warnings: string[];
}

/** A fresh CR2032 has 3,000 mV and more at rest; below this it has been used for long. */
export const USED_CELL_MV = 2800;
/** Words of the log that are read back: one answer's worth. */
const READ_BACK = 400;
const BETWEEN_READINGS_MS = 3000;
/** Two measurements over a wire, and a clock that is 5 % wrong. */
const CLOCK_TOLERANCE_MS = 150;
const CLOCK_TOLERANCE = 0.05;

// FIPS 197, C.1: key 00 01 … 0f, clear text 00 11 … ff. FIPS 180-4 example: "abc".
const AES_EXPECTED = "69c4e0d86a7b0430d8cdb78070b4c55a";
const SHA256_EXPECTED = createHash("sha256").update("abc").digest("hex");
const HEX = `function h(a){return[].map.call(new Uint8Array(a),function(b){return(b+256).toString(16).substr(1)}).join("")}`;
const AES_LINE = `(function(){${HEX};var k=new Uint8Array(16).map(function(_,i){return i});return h(AES.encrypt(k.map(function(i){return i*17}),k,{mode:"ECB"}))})()`;
const SHA256_LINE = `(function(){${HEX};return h(require("crypto").SHA256("abc"))})()`;

/**
 * Tries what a board needs in its life: crypto, radio, flash, battery, clock. Its firmware runs and its clock is set.
 * @throws DeviceError "self_test" with every fault that was found, numbers included
 */
export async function selfTest(board: Board, around: HeardAround | null): Promise<SelfTest> {
  const answers = await knownAnswers(board.repl, findBoard(board.identity.board)?.crypto);
  const first = await reading(board);
  await sleep(board.clock, BETWEEN_READINGS_MS);
  const second = await reading(board);
  const { status } = second;
  const [radioErrors, flashErrors] = status.er;
  const result: SelfTest = {
    crypto: { ...answers, by: status.cr ?? null },
    radio: { advertising: status.ad === 1, errors: radioErrors, around },
    flash: { ...(await readBack(board, Math.max(status.lo, status.hi - READ_BACK), status.hi)), errors: flashErrors },
    battery: { millivolts: status.mv },
    clock: {
      offsetMs: Math.round(second.boardMs - second.hubMs),
      gainedMs: Math.round(second.boardMs - first.boardMs - (second.hubMs - first.hubMs)),
      seconds: Math.round((second.hubMs - first.hubMs) / 100) / 10,
    },
    warnings: [],
  };
  const faults = faultsIn(result, Math.abs(second.hubMs - first.hubMs));
  if (faults.length > 0)
    throw new DeviceError(
      "self_test",
      `${board.name}: self test: ${faults.join("; ")}. Switch the board off and on and try again; if it stays so, don't use it`,
    );
  result.warnings = warningsIn(result, ROLES[status.r]?.advertise === true);
  return result;
}

/** Asks what the interpreter has of AES and SHA-256 for answers that are published; null where it has none. */
export async function knownAnswers(
  repl: Repl,
  has: { aes: boolean; sha256: boolean } | undefined,
): Promise<{ aes: boolean | null; sha256: boolean | null }> {
  const right = async (line: string, expected: string) => (await repl.evaluate(line).catch(told)) === expected;
  return {
    aes: has?.aes ? await right(AES_LINE, AES_EXPECTED) : null,
    sha256: has?.sha256 ? await right(SHA256_LINE, SHA256_EXPECTED) : null,
  };
}

/** An exception on the board is an answer too: a wrong one. */
function told(error: unknown): undefined {
  if (error instanceof DeviceError && error.code === "board_error") return undefined;
  throw error;
}

async function reading(board: Board) {
  const { value: status, sentAt, begunAt } = await board.timedStatus();
  // from the question's end to the answer's beginning, in the middle: as clock-sync.ts has it
  const hubMs = ((sentAt + begunAt) / 2) * 1000 + board.repl.wireMs(3);
  return { status, boardMs: status.u, hubMs };
}

/** Reads records of the log, most of them just written by settings and clock, and checks each. */
async function readBack(board: Board, from: number, to: number): Promise<{ records: number; damaged: number }> {
  const found = { records: 0, damaged: 0 };
  for (let seq = from; seq < to; ) {
    const { value: block } = await board.command(`r(${seq},${to - seq})`, decodeBlockAnswer);
    for (const { kind } of decodeBlock(block)) {
      if (kind === "damaged") found.damaged += 1;
      else if (kind !== "blank") found.records += 1;
    }
    if (block.nextSeq <= seq) break;
    seq = block.nextSeq;
  }
  return found;
}

function faultsIn({ crypto, flash, clock }: SelfTest, elapsedMs: number): string[] {
  const faults: string[] = [];
  if (crypto.aes === false) faults.push("AES gives a wrong answer (FIPS 197, C.1)");
  if (crypto.sha256 === false) faults.push('SHA-256 gives a wrong answer ("abc")');
  if (flash.errors > 0) faults.push(`${flash.errors} errors of flash`);
  if (flash.damaged > 0) faults.push(`${flash.damaged} of ${flash.damaged + flash.records} records read back damaged`);
  else if (flash.records === 0) faults.push("no record of the log can be read back");
  if (Math.abs(clock.gainedMs) > CLOCK_TOLERANCE_MS + CLOCK_TOLERANCE * elapsedMs)
    faults.push(`the clock went ${clock.gainedMs} ms wrong in ${clock.seconds} s`);
  return faults;
}

function warningsIn({ radio, battery }: SelfTest, sends: boolean): string[] {
  const warnings: string[] = [];
  if (battery.millivolts < USED_CELL_MV) warnings.push(`battery ${battery.millivolts} mV: a used cell, put a fresh one in`);
  if (radio.errors > 0) warnings.push(`the radio refused ${radio.errors} times since the start`);
  if (radio.around?.packets === 0) warnings.push("the radio heard nothing at all before flashing: no other device near, or a fault");
  if (sends && !radio.advertising) warnings.push("not advertising yet: a board that was restarted today waits for the next ten minutes of the clock");
  return warnings;
}
