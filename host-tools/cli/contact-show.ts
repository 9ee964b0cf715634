import { existsSync, readFileSync } from "node:fs";
import { encodeContactLink, KEY_LIFETIME_MS } from "../../protocols/opencovidtrace/contact-link.ts";
import { encodePayload } from "../../protocols/opencovidtrace/payload.ts";
import type { Board } from "../device/board.ts";
import { utc } from "../device/clock-words.ts";
import { requireScreen, showCode } from "../device/contact-screen.ts";
import { describeBoard } from "../device/description.ts";
import { sleep } from "../device/host-clock.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { parseAnswer } from "../opencovidtrace/contact-files.ts";
import { openContact, ShownLinks } from "../opencovidtrace/contact-secret.ts";
import type { ContactKeys } from "../store/contacts.ts";
import type { Store } from "../store/store.ts";
import { onInterrupt } from "./interrupt.ts";
import type { Output } from "./output.ts";

export interface ShowOptions {
  /** What stands before `app/contact?`. */
  site: string;
  tokenFile?: string;
  /** File in which the answer will come. */
  answer?: string;
}

/** Seconds for which a code is shown: no longer than it is good for. */
const SHOWN_SECONDS = 60;
const LOOK_AGAIN_MS = 1000;
const DAY = 86_400;
/** A link must name one; nobody can push to a hub. */
const NO_TOKEN = "-";

/** The keys of a board's day, drawn where it has none yet. `unix`: seconds. */
export function keysOfToday(store: Store, board: string, unix: number): Promise<ContactKeys> {
  const [dailyKey, metaKey] = [nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(16)];
  return store.contactKeysOf({ board, day: Math.floor(unix / DAY), dailyKey, metaKey });
}

/** What stands in the payload now: no position, for a hub knows none (OCT-12). */
export function payloadNow({ dailyKey, metaKey }: ContactKeys, unix: number): Uint8Array {
  return encodePayload(nodeCrypto, dailyKey, metaKey, unix);
}

/** Before a board is asked: what the user mistook shall cost nothing. @throws ConfigError */
export function tokenOf({ tokenFile, answer }: ShowOptions): string {
  if (answer !== undefined && existsSync(answer))
    throw new ConfigError("answer_exists", `${answer} is there already, so it is the answer to another code; name a file that is still to come`);
  if (tokenFile === undefined) return NO_TOKEN;
  let token: string;
  try {
    token = readFileSync(tokenFile, "utf8").trim();
  } catch (cause) {
    throw new ConfigError("no_file", `${tokenFile} can't be read: ${(cause as NodeJS.ErrnoException).code}; it should have a push token in it`, {
      cause,
    });
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new ConfigError("bad_token", `${tokenFile}: one line of visible ASCII is expected`);
  return token;
}

/** Looks into the file of the answer. Answers the payload in it; `undefined` while there is none. */
function answered(file: string, links: ShownLinks, now: number) {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new ConfigError("no_file", `${file} can't be read: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  // written a moment ago, and not to the end
  if (!text.endsWith("\n")) return undefined;
  const { secret, tst } = parseAnswer(text, file);
  const key = links.keyOf(tst, now);
  const payload = key && openContact(key, secret);
  if (payload) return payload;
  throw new FormatError("bad_answer", `${file}: ${key ? "its secret has not 32 bytes" : "the answer to another code"}; show a new one`);
}

/**
 * Shows a fresh code on the board's screen for a minute and waits for its answer, if one can come, for two. The key that opens the answer is in memory only, and gone with the
 * command (OCT-09).
 */
export async function showContact(board: Board, output: Output, store: Store, options: ShowOptions, token: string): Promise<void> {
  requireScreen(board);
  await board.requireFirmware();
  const { clock } = board;
  const status = await board.status();
  await store.enterBoard(describeBoard(board, status));
  const id = (await store.boards()).find(({ logs }) => logs.some(({ logId }) => logId === status.id))!.id;
  const unix = Math.floor(clock.now());
  const payload = payloadNow(await keysOfToday(store, id, unix), unix);
  const links = new ShownLinks();
  const key = nodeCrypto.randomBytes(16);
  const time = unix * 1000;
  links.add(time, key);
  const end = await showCode(board, options.site + encodeContactLink({ platform: "a", token, payload, key, time }), SHOWN_SECONDS);
  const forget = onInterrupt(end);
  let met = false;
  try {
    output.say(`${board.name}: the code is on the screen until ${utc(time + SHOWN_SECONDS * 1000)}`);
    const lasts = options.answer === undefined ? SHOWN_SECONDS * 1000 : KEY_LIFETIME_MS;
    while (!met && clock.now() * 1000 < time + lasts) {
      await sleep(clock, LOOK_AGAIN_MS);
      const now = clock.now() * 1000;
      const answer = options.answer === undefined ? undefined : answered(options.answer, links, now);
      if (!answer) continue;
      const receivedAt = Math.floor(now / 1000);
      await store.addContact({ board: id, receivedAt, day: Math.floor(receivedAt / DAY), ...answer, way: "answer" });
      met = true;
    }
  } finally {
    forget();
    key.fill(0);
    // where the wire is gone, the board ends it by itself
    await end().catch(() => {});
  }
  const what = met
    ? "the answer came, and who scanned the code is a contact now"
    : options.answer === undefined
      ? "the code is gone. Who scanned it has a contact; you have one with --answer only"
      : "no answer came; show a new code";
  output.result({ board: id, shownAt: unix, seconds: SHOWN_SECONDS, answered: met }, `${board.name}: ${what}`);
}
