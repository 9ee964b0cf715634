import { createCipheriv, randomBytes } from "node:crypto";
import { readU16, readU32 } from "../../protocols/bytes.ts";
import { LOCK_ASK, LOCK_NONCE } from "../../protocols/device-link.ts";
import { DeviceError } from "../errors.ts";
import type { Board } from "./board.ts";
import type { ConsoleStream, ReceivedFrame } from "./console-stream.ts";
import { sleep } from "./host-clock.ts";
import type { Repl } from "./repl.ts";
import { RECOVERY_FILE } from "./storage-survey.ts";

// The lock of protocols/device-link.ts, from the hub's side. Keys are 16 bytes, and stand in no message.

/** What a locked board answers to `?`. */
export interface Challenge {
  nonce: Uint8Array;
  /** Seconds until the board takes an answer. */
  waitSeconds: number;
}

const CHALLENGE_BYTES = LOCK_NONCE + 2;
/** Shorter waits are waited for. */
const PATIENCE_SECONDS = 5;
const ANSWER_MS = 2500;
const WRONG = "!key";

/**
 * Goes before a line of JavaScript: to an interpreter it is a comment, to a locked board a line of its own that asks for a challenge. So one
 * message finds out which of them it is, and costs neither anything.
 */
export const KNOCK = `/*\n${LOCK_ASK}\n*/`;

/** Takes a challenge out of the frames that have come. */
export function takeChallenge(frames: ReceivedFrame[]): Challenge | undefined {
  const at = frames.findIndex(({ payload }) => payload.length === CHALLENGE_BYTES && !Buffer.from(payload).toString("latin1").startsWith('{"'));
  if (at < 0) return undefined;
  const [{ payload }] = frames.splice(at, 1);
  return { nonce: payload.subarray(0, LOCK_NONCE), waitSeconds: readU16(payload, LOCK_NONCE) };
}

/** The line that opens: AES-128 of the challenge under the key, in hex digits. */
export function lockAnswer(key: Uint8Array, nonce: Uint8Array): string {
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return cipher.update(nonce).toString("hex");
}

const RECOVERY =
  "without the key the board can be used again, but its data goes first: take its power away, hold its button down, give it power, let go after more than three seconds, when all lights are on (docs/lock.md)";

function inWords(seconds: number): string {
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} minutes`;
}

/**
 * Answers a challenge. Resolves when the console is ours.
 * @throws DeviceError "board_locked" without a key, "lock_waits" after wrong answers, "wrong_key"
 */
export async function openLock(repl: Repl, challenge: Challenge, key: Uint8Array | undefined): Promise<void> {
  const { stream, name } = repl;
  const { clock } = stream;
  if (!key) {
    const wait = challenge.waitSeconds > 0 ? ` It takes no answer for ${inWords(challenge.waitSeconds)}, after wrong ones.` : "";
    throw new DeviceError(
      "board_locked",
      `${name}: the board is locked; give its key with --key-file FILE or TRACELET_KEY_FILE, or its password with --password-stdin.${wait} And ${RECOVERY}`,
    );
  }
  let { nonce, waitSeconds } = challenge;
  if (waitSeconds > PATIENCE_SECONDS)
    throw new DeviceError(
      "lock_waits",
      `${name}: after wrong answers the board takes none for ${inWords(waitSeconds)}; wait, or switch it off and on, then try again`,
    );
  if (waitSeconds > 0) {
    await sleep(clock, waitSeconds * 1000);
    const fresh = await ask(stream, repl);
    if (fresh) ({ nonce, waitSeconds } = fresh);
  }
  stream.clear();
  await stream.writeText(`\n${lockAnswer(key, nonce)}\n`);
  const verdict = await stream.wait(() => {
    for (let frame = stream.frames.shift(); frame; frame = stream.frames.shift()) {
      const text = Buffer.from(frame.payload).toString("latin1");
      if (text === "{}" || text === WRONG) return text;
    }
    return undefined;
  }, ANSWER_MS + repl.wireMs(80));
  if (verdict === WRONG)
    throw new DeviceError(
      "wrong_key",
      `${name}: this is not the board's key. Each wrong one makes the board wait longer, up to an hour; check the file before the next attempt. And ${RECOVERY}`,
    );
  if (verdict === undefined) throw new DeviceError("timeout", `${name}: the board is locked and did not answer the key; try again`);
}

/** Asks a board that is known to be locked. */
async function ask(stream: ConsoleStream, repl: Repl): Promise<Challenge | undefined> {
  for (let i = 0; i < 2; i++) {
    stream.clear();
    await stream.writeText(`\n${LOCK_ASK}\n`);
    const found = await stream.wait(() => takeChallenge(stream.frames), ANSWER_MS + repl.wireMs(40));
    if (found) return found;
  }
  return undefined;
}

/** A fresh key. */
export function newLockKey(): Uint8Array {
  return randomBytes(LOCK_NONCE);
}

/**
 * Gives a board its key, or another one, or takes the lock off (`undefined`). The board is locked afterwards, and the key has been tried.
 * @throws DeviceError "no_recovery", "no_lock", "not_set"
 */
export async function setLock(board: Board, key: Uint8Array | undefined): Promise<void> {
  await board.requireFirmware();
  const { repl, name } = board;
  const { lk } = await board.status();
  if (lk === undefined)
    throw new DeviceError(
      "no_lock",
      `${name}: its firmware was built without the lock, or before there was one; flash another with \`tracelet flash\``,
    );
  if (key && (await repl.evaluate(`require("Storage").read("${RECOVERY_FILE}")?1:0`, undefined, 3)) !== 1)
    throw new DeviceError(
      "no_recovery",
      `${name}: ${RECOVERY_FILE} is missing, so its button would be a way round the lock; run \`tracelet flash\` again, then lock it`,
    );
  const words = [0, 4, 8, 12].map((at) => (key ? readU32(key, at) : 0));
  await board.setLock(words);
  const after = await board.status();
  if (after.lk !== (key ? 1 : 0))
    throw new DeviceError(
      "not_set",
      `${name}: the board did not keep the key, its flash may be worn (errors: ${after.er[1]}); look at \`tracelet status\``,
    );
  if (!key) return;
  // not left before it has been tried
  repl.key = key;
  await board.endSession();
  await repl.attach();
  if (!repl.unlocked)
    throw new DeviceError("not_set", `${name}: the board took the key but gives its console to anybody; look at \`tracelet status\` and try again`);
}
