import { randomBytes } from "node:crypto";
import { type Command, InvalidArgumentError, Option } from "commander";
import { createAuthorityKey, readAuthorityKey } from "../bluetrace/authority-file.ts";
import { checkIdentity, readBatch, type TokenIdentity } from "../bluetrace/batch-file.ts";
import { makeBatch, UID_BYTES } from "../bluetrace/temp-ids.ts";
import { uploadDocument } from "../bluetrace/upload-file.ts";
import type { Board } from "../device/board.ts";
import { utc } from "../device/clock-words.ts";
import { type Loaded, loadTempIds, requireToken } from "../device/temp-ids.ts";
import { ConfigError } from "../errors.ts";
import { createSecretFile, readSecretFile } from "../secret-file.ts";
import { Store } from "../store/store.ts";
import { addContacts } from "./bluetrace-contacts.ts";
import { type LinkOptions, withBoard, withLinkOptions } from "./board-session.ts";
import { createOutput, type Output, type RegisterCommand } from "./output.ts";

/** Services of OpenTrace, as the index of protocols/bluetrace/advertisement.ts. */
const DEPLOYMENTS: readonly string[] = ["production", "staging", "ios"];

export interface LoadOptions extends LinkOptions {
  batch: string;
  authority?: string;
  model: string;
  service: string;
}

function userId(text: string): string {
  if (!/^[A-Za-z0-9+/]{28}$/.test(text)) throw new InvalidArgumentError("28 base64 characters for 21 bytes are expected.");
  return text;
}

function addBatch(group: Command): void {
  group
    .command("batch")
    .description("make a batch of 100 TempIDs as a health authority does, good for 25 hours from now on")
    .option("--key-file <file>", "the authority's key")
    .option("--new-key <file>", "make a key, in a file readable by you alone; must not exist yet")
    .option("--uid <id>", "whom the TempIDs stand for, 28 base64 characters; without it somebody new", userId)
    .requiredOption("--out <file>", "where the batch goes; must not exist yet")
    .option("--json", "one JSON document instead of text")
    .addHelpText(
      "after",
      "\nWhoever has the key opens every TempID; whoever has a batch can pass for its board.\n\nExamples:\n  tracelet bluetrace batch --new-key authority.key --out alice.batch\n  tracelet bluetrace batch --key-file authority.key --uid AbCdEfGhIjKlMnOpQrStUvWxYz01 --out alice.batch",
    )
    .action(({ keyFile, newKey, uid, out, json }: { keyFile?: string; newKey?: string; uid?: string; out: string; json?: boolean }) => {
      if ((keyFile === undefined) === (newKey === undefined))
        throw new ConfigError("usage", "whose key? Give --key-file with a key file, or --new-key with the name of one to create");
      const key = newKey === undefined ? readAuthorityKey(keyFile!) : createAuthorityKey(newKey);
      const user = uid ?? randomBytes(UID_BYTES).toString("base64");
      const batch = makeBatch(key, user, Math.floor(Date.now() / 1000));
      key.fill(0);
      createSecretFile(out, JSON.stringify(batch), "hand over the one in it with `tracelet bluetrace load`");
      const { startTime } = batch.tempIDs[0];
      const { expiryTime } = batch.tempIDs[batch.tempIDs.length - 1];
      const shown = { file: out, uid: user, tempIds: batch.tempIDs.length, startTime, expiryTime, refreshTime: batch.refreshTime };
      const text = `${out}: ${batch.tempIDs.length} TempIDs of user ${user}, good from ${utc(startTime * 1000)} to ${utc(expiryTime * 1000)}; new ones are due from ${utc(batch.refreshTime * 1000)} on`;
      createOutput(json === true).result(shown, text);
    });
}

function describeLoad(port: string, { status, clock }: Loaded): string {
  const [left, refresh, ...ends] = status.te!;
  return [
    `${port}: ${left} TempIDs of ${status.ha}, the last until ${utc(Math.max(...ends) * 1000)}; bring new ones from ${utc(refresh * 1000)} on`,
    `  clock ${Math.abs(clock.after.offsetMs)} ms ${clock.after.offsetMs < 0 ? "behind" : "ahead"}`,
  ].join("\n");
}

/** The command on an open board. */
export async function load(board: Board, output: Output, { port, batch, authority, model, service }: LoadOptions): Promise<void> {
  const { ha } = await requireToken(board);
  const org = authority ?? ha;
  if (!org) throw new ConfigError("usage", "whose TempIDs are these? Nobody has told this board its health authority yet: name it with --authority");
  const loaded = await loadTempIds(board, readBatch(batch), { org, model, service: DEPLOYMENTS.indexOf(service) });
  const [left, refreshTime, ...ends] = loaded.status.te!;
  const clockOffsetMs = loaded.clock.after.offsetMs;
  output.result({ port, authority: org, tempIds: left, refreshTime, expiryTime: Math.max(...ends), clockOffsetMs }, describeLoad(port, loaded));
}

function addLoad(group: Command): void {
  withLinkOptions(group.command("load"), [
    "bluetrace load --port /dev/ttyUSB0 --batch alice.batch --authority QX_HAI",
    "bluetrace load --port /dev/ttyUSB0 --batch alice-tomorrow.batch",
  ])
    .description("bring a batch of TempIDs to a board with the role token, and set its clock")
    .requiredOption("--batch <file>", "the health authority's answer: JSON with tempIDs and refreshTime")
    .option("--authority <name>", "the health authority as others are told it (HAI); without it the board's own")
    .option("--model <name>", "what the board calls itself; say nothing of its wearer", "device")
    .addOption(new Option("--service <name>", "which of OpenTrace's services the deployment has").choices(DEPLOYMENTS).default("production"))
    .action(async (options: LoadOptions) => {
      readBatch(options.batch);
      const identity: TokenIdentity = { org: options.authority ?? "-", model: options.model, service: 0 };
      checkIdentity(identity);
      await withBoard(options, false, (board, output) => load(board, output, options));
    });
}

function readToken(file: string | undefined): string {
  if (file === undefined) return "";
  return readSecretFile(file, "it must hold the upload token that the authority gave").trim();
}

function addExport(group: Command): void {
  group
    .command("export")
    .description("write a board's meetings as the file that its health authority takes")
    .requiredOption("--db <file>", "database")
    .requiredOption("--board <id>", "whose meetings")
    .requiredOption("--out <file>", "file to write; must not exist yet")
    .option("--token-file <file>", "upload token of the authority; without it the file has an empty one")
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", "\nExamples:\n  tracelet bluetrace export --db tracelet.db --board 0123456789abcdef --token-file token --out upload.json")
    .action(async ({ db, board, out, tokenFile, json }: { db: string; board: string; out: string; tokenFile?: string; json?: boolean }) => {
      const token = readToken(tokenFile);
      const store = Store.open(db, { readOnly: true });
      try {
        const boards = (await store.boards()).map(({ id }) => id);
        if (!boards.includes(board))
          throw new ConfigError(
            "no_such_board",
            `board ${board}: not in this database; ${boards.length > 0 ? `known: ${boards.join(", ")}` : "it has none yet"}`,
          );
        const { document, leftOut } = uploadDocument(await store.meetings({ board }), token);
        createSecretFile(out, JSON.stringify(document), "take that one");
        const lines = [`${out}: ${document.records.length} meetings of ${board}`];
        if (leftOut > 0) lines.push(`  ${leftOut} left out: their time or the board's health authority is not known`);
        if (!token) lines.push("  no upload token in it: the authority will refuse it until it has one (--token-file)");
        createOutput(json === true).result({ file: out, records: document.records.length, leftOut, token: token !== "" }, lines.join("\n"));
      } finally {
        await store.close();
      }
    });
}

export const register: RegisterCommand = (program) => {
  const group = program
    .command("bluetrace")
    .description("BlueTrace: make TempIDs, bring them to a board, write its meetings for upload, tell close contacts of an upload");
  addBatch(group);
  addLoad(group);
  addExport(group);
  addContacts(group);
};
