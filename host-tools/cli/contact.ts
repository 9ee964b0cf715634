import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { decodeContactLink, isLinkValid } from "../../protocols/opencovidtrace/contact-link.ts";
import { decodePayload } from "../../protocols/opencovidtrace/payload.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { nodeCrypto } from "../node-crypto.ts";
import { borderOfDay } from "../opencovidtrace/borders.ts";
import { type ContactAnswer, type Place, parsePlaces } from "../opencovidtrace/contact-files.ts";
import { CONTACTS } from "../opencovidtrace/contact-matches.ts";
import { sealContact } from "../opencovidtrace/contact-secret.ts";
import { keysToPublish, type PublishedKey } from "../opencovidtrace/tracks.ts";
import { createSecretFile } from "../secret-file.ts";
import { Store } from "../store/store.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { keysOfToday, payloadNow, type ShowOptions, showContact, tokenOf } from "./contact-show.ts";
import { namedBoard, openKnown } from "./named-board.ts";
import { createOutput, type RegisterCommand } from "./output.ts";
import { describePurged, withRetentionOption } from "./retention-option.ts";

const DAY = 86_400;

/**
 * Takes what was scanned from somebody's screen: a contact of this board, and the answer that makes this board a contact of theirs. `now`: Unix seconds.
 * @throws FormatError "bad_link", "link_expired"; neither tells anything of the link
 */
export async function scanContact(store: Store, board: string, text: string, now: number): Promise<{ isNew: boolean; answer: ContactAnswer }> {
  const link = decodeContactLink(text.trim());
  const payload = link && decodePayload(link.payload);
  if (!payload) throw new FormatError("bad_link", "this is no contact link of OpenCovidTrace; scan the code again");
  if (!isLinkValid(link.time, now * 1000)) {
    const seconds = Math.round(Math.abs(now - link.time / 1000));
    throw new FormatError(
      "link_expired",
      `the code was made ${seconds} s ${link.time / 1000 > now ? "from now" : "ago"}, and is good for 60: have a new one shown; if this goes on, one of the two clocks is wrong`,
    );
  }
  const own = payloadNow(await keysOfToday(store, board, now), now);
  const receivedAt = Math.floor(now);
  const isNew = await store.addContact({ board, receivedAt, day: Math.floor(now / DAY), ...payload, way: "scanned" });
  return { isNew, answer: { token: link.token, platform: link.platform, secret: sealContact(link.key, own), tst: link.time } };
}

/** A number from 0 to below 1 from the system's generator. */
function random(): number {
  return Buffer.from(nodeCrypto.randomBytes(4)).readUInt32LE(0) / 2 ** 32;
}

/** The keys of a board that speaks OpenCovidTrace itself, as `tracelet keys pull --db` brought them. */
async function boardsOwnDays(store: Store, board: string) {
  const own = (await store.keysOfOthers(board)).filter(({ protocol }) => protocol === CONTACTS);
  return own.map(({ key, startDay }) => ({ board, day: startDay, dailyKey: key.subarray(0, 16), metaKey: key.subarray(16) }));
}

/** What a server takes of the days of a board: those with a place (OCT-07). */
export async function publishedDays(store: Store, board: string, places: readonly Place[], metaConsent: boolean) {
  const days = [...(await store.contactKeys(board)), ...(await boardsOwnDays(store, board))];
  const borders = days.map((one) => ({
    ...one,
    border: borderOfDay(
      places.filter(({ day }) => day === one.day),
      random,
    ),
  }));
  const keys: PublishedKey[] = keysToPublish(borders, metaConsent);
  return { keys, withoutPlace: days.length - keys.length };
}

function readText(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("no_file", `${file} can't be read: ${(cause as NodeJS.ErrnoException).code}; ${what}`, { cause });
  }
}

/** One line: a hand scanner types it, or it is piped. */
async function readLine(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  try {
    for await (const line of lines) return line;
  } finally {
    lines.close();
  }
  throw new ConfigError("bad_link", "no link came on standard input");
}

function addShow(group: Command): void {
  withRetentionOption(
    withLinkOptions(group.command("show"), [
      "contact show --port /dev/ttyUSB0 --db tracelet.db",
      "contact show --port /dev/ttyUSB0 --db tracelet.db --answer answer.json",
    ]),
  )
    .description("show a QR code on a board's screen for a minute: who scans it has met its wearer")
    .requiredOption("--db <file>", "database")
    .option("--site <address>", "what stands before app/contact in the link, with its slash: for phones that open it", "")
    .option("--token-file <file>", "push token, where the answer is to come by a contact server")
    .option("--answer <file>", "wait two minutes for the answer in this file, and store who it is from")
    .action(async (options: LinkOptions & ShowOptions & { db: string; retention: number }) => {
      const token = tokenOf(options);
      const store = Store.open(options.db);
      try {
        await store.purge(Date.now() / 1000, options.retention);
        await withBoard(options, false, (board, output) => showContact(board, output, store, options, token));
      } finally {
        await store.close();
      }
    });
}

function addScan(group: Command): void {
  withRetentionOption(group.command("scan"))
    .description("store who was met: the link of a QR code that was scanned, as one line on standard input")
    .requiredOption("--db <file>", "database")
    .requiredOption("--board <id>", "whose contact it is: id or name of a board")
    .option("--link-file <file>", "the link is in this file; it holds a key, so it is no argument")
    .option("--out <file>", "write the answer, which makes this board a contact of the other's; readable by you alone")
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", "\nExamples:\n  tracelet contact scan --db tracelet.db --board puck-07 --out answer.json")
    .action(async (options: { db: string; board: string; linkFile?: string; out?: string; retention: number; json?: boolean }) => {
      const text = options.linkFile === undefined ? await readLine() : readText(options.linkFile, "it should have the link that was scanned");
      const store = openKnown(options.db);
      try {
        const { id } = await namedBoard(store, options.board);
        const now = Date.now() / 1000;
        const { isNew, answer } = await scanContact(store, id, text, now);
        if (options.out !== undefined) createSecretFile(options.out, JSON.stringify(answer), "take it away");
        const purged = await store.purge(now, options.retention);
        const next = options.out === undefined ? "without --out the other has no contact" : `${options.out}: the answer, good for two minutes`;
        createOutput(options.json === true).result(
          { board: id, new: isNew, answer: options.out ?? null },
          [`${id}: ${isNew ? "a new contact" : "this contact is known"}; ${next}`, ...describePurged(purged)].join("\n"),
        );
      } finally {
        await store.close();
      }
    });
}

const WARNING =
  "These are the wearer's own keys, with roughly where the wearer was: take them only with the wearer's consent, hand them to nobody but the key server,\n" +
  "and delete the file afterwards.";

function addKeys(group: Command): void {
  group
    .command("keys")
    .description("write the keys of a board's contacts for upload, after a positive test")
    .requiredOption("--db <file>", "database")
    .requiredOption("--board <id>", "id or name of the board")
    .requiredOption("--out <file>", "JSON file to write, readable by you alone; must not exist yet")
    .requiredOption("--places <file>", 'where its wearer was: JSON list of {"day", "lat", "lng"}; a day without a place is not published')
    .option("--meta", "with the wearer's consent: also the keys by which contacts learn the time and place of the meeting")
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", "\nExamples:\n  tracelet contact keys --db tracelet.db --board puck-07 --places places.json --out keys.json")
    .action(async (options: { db: string; board: string; out: string; places: string; meta?: boolean; json?: boolean }) => {
      const places = parsePlaces(readText(options.places, "it should say where the wearer was"), options.places);
      const store = Store.open(options.db, { readOnly: true });
      try {
        const { id } = await namedBoard(store, options.board);
        const { keys, withoutPlace } = await publishedDays(store, id, places, options.meta === true);
        createSecretFile(options.out, JSON.stringify({ keys }), "take it away");
        createOutput(options.json === true).result(
          { board: id, file: options.out, keys: keys.length, withoutPlace, warning: WARNING },
          [
            `${options.out}: keys of ${keys.length} days${withoutPlace > 0 ? `; ${withoutPlace} days have no place and stay here` : ""}`,
            WARNING,
          ].join("\n"),
        );
      } finally {
        await store.close();
      }
    });
}

export const register: RegisterCommand = (program) => {
  const group = program
    .command("contact")
    .description("contacts by QR code, as OpenCovidTrace has them: show one, take one, publish (docs/contacts.md)");
  addShow(group);
  addScan(group);
  addKeys(group);
};
