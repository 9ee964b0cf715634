import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import type { BoardFacts } from "../../boards/board-facts.ts";
import { findBoard } from "../../boards/index.ts";
import { LOG_ID_BYTES } from "../../protocols/log-format.ts";
import { DeviceError } from "../errors.ts";
import { screenImage } from "../label/screen-image.ts";
import { type AnyStatus, Board } from "./board.ts";
import { sleep } from "./host-clock.ts";
import { atLeast } from "./interpreter-version.ts";
import { raiseSpeed } from "./link-speed.ts";
import { printable } from "./repl.ts";
import { CODE_FILE, type StorageSurvey, surveyStorage } from "./storage-survey.ts";
import { clearCode, commitCode, createLog, type Layout, roomForCode, storeLabel, uploadCode, writeRecovery } from "./upload.ts";

/** A firmware and what its manifest says of it. */
export interface Bundle {
  /** JavaScript of the interpreter's dialect, one byte a character. */
  code: Uint8Array;
  /** Board id, as in boards/. */
  board: string;
  role: string;
  /** As `DeviceStatus.v` will tell it. */
  version: string;
  /** Pages of the log's ring it wants. */
  logPages: number;
  /** Pages behind the ring that it cannot do without: for TempIDs; absent: none. */
  pagesBehind?: number;
  /** LOG_VERSION it was built with. */
  logVersion: number;
  /** What the board runs at power-on, before it; absent where the firmware has no lock. */
  recovery?: Uint8Array;
}

export interface FlashOptions {
  /** Empty the board first: files of others, and our log. */
  erase?: boolean;
  /** Erase also when the log has records that were not pulled. */
  discard?: boolean;
  /** Accept an interpreter of 2v24 or 2v25. */
  oldInterpreter?: boolean;
  /** Raise the speed of the wire meanwhile. */
  fast?: boolean;
  /** 8 random bytes; for tests. */
  logId?: Uint8Array;
  onProgress?(done: number, total: number): void;
  say?(text: string): void;
  /** Where the caller can be interrupted: registers what puts things right then; answers how to take that back. */
  onInterrupt?(cleanup: () => Promise<void>): () => void;
}

export interface Flashed {
  board: string;
  role: string;
  version: string;
  /** Version that ran before; null where none of ours did. */
  replaced: string | null;
  logId: string;
  /** Was the log made anew? */
  freshLog: boolean;
  /** Pages of its ring. */
  logPages: number;
  /** Was the same code there already? Then nothing was written. */
  unchanged: boolean;
  bytes: number;
  seconds: number;
  checkedBy: "SHA-256" | "CRC-32";
}

/** Compaction of 2v25 and before corrupts files (espruino/Espruino issue 2509). */
const NEEDED = { major: 2, minor: 26 };
/** What this program knows to work when asked for: it never lets the interpreter compact. */
const TOLERATED = { major: 2, minor: 24 };
/** Files that a message names. */
const FILES_NAMED = 5;
const RESET_MS = 1500;
/** The firmware opens its log and tests its crypto before it answers. */
const START_MS = 2500;
const START_TRIES = 4;

/**
 * Puts a firmware on a board. Our log, if there is one, is kept; only the code is replaced. Whatever is cut off meanwhile, code runs whole or
 * not at all, and the same command again completes it.
 * @throws DeviceError "wrong_board", "old_interpreter", "foreign_files", "other_log", "not_pulled", "too_large", "flash_failed", "not_running"
 */
export async function flash(board: Board, bundle: Bundle, options: FlashOptions = {}): Promise<Flashed> {
  const begun = board.clock.now();
  const facts = rightBoard(board, bundle);
  rightInterpreter(board, facts, options.oldInterpreter === true);
  const before = board.identity.firmware ? await board.anyStatus() : undefined;
  const survey = await surveyStorage(board.repl, facts);
  const fresh = decide(board, facts, survey, bundle, before, options);
  const layout: Layout = fresh
    ? { facts, logPages: bundle.logPages, pagesBehind: bundle.pagesBehind ?? 0 }
    : { facts, logPages: survey.head!.pages, pagesBehind: survey.head!.pagesBehind };
  requireRoom(board, bundle, layout, fresh);
  const same = !fresh && before?.v === bundle.version && isThere(survey.code, bundle.code) && isThere(survey.recovery, bundle.recovery);
  const result = {
    board: bundle.board,
    role: bundle.role,
    version: bundle.version,
    replaced: before?.v ?? null,
    freshLog: fresh,
    logPages: layout.logPages,
    bytes: bundle.code.length,
  };
  if (same && before) {
    return { ...result, logId: before.id, unchanged: true, seconds: board.clock.now() - begun, checkedBy: "CRC-32" };
  }

  const log = fresh ? "" : ", its log is untouched";
  const hint = `No firmware runs on the board now${log}: run the same command again to complete it`;
  const forget = options.onInterrupt?.(async () => options.say?.(`${board.name}: ${hint}`));
  try {
    const checkedBy = await replace(board, bundle, layout, fresh ? undefined : survey.head!.id, options);
    const status = await startAndWait(board, bundle);
    return { ...result, logId: status.id, unchanged: false, seconds: board.clock.now() - begun, checkedBy };
  } catch (error) {
    if (!(error instanceof DeviceError) || error.code === "not_running") throw error;
    throw new DeviceError(error.code, `${error.message}. ${hint}`, { cause: error });
  } finally {
    forget?.();
  }
}

function isThere(found: { bytes: number; crc: number } | undefined, wanted: Uint8Array | undefined): boolean {
  return wanted === undefined ? found === undefined : found?.bytes === wanted.length && found.crc === crc32(wanted);
}

function rightBoard(board: Board, bundle: Bundle): BoardFacts {
  const facts = findBoard(bundle.board);
  if (!facts) throw new DeviceError("wrong_board", `${board.name}: the firmware was built for "${bundle.board}", which is no board we know`);
  const there = findBoard(board.identity.board);
  if (there?.id === facts.id) return facts;
  const what = there ? `a ${there.name}` : `a ${board.identity.board}`;
  const build = there ? `; build one with --board ${there.id}` : "";
  throw new DeviceError("wrong_board", `${board.name}: this is ${what}, and the firmware was built for ${facts.name}${build}`);
}

function rightInterpreter(board: Board, facts: BoardFacts, tolerant: boolean): void {
  const { version } = board.identity;
  if (atLeast(version, NEEDED.major, NEEDED.minor)) return;
  const how = `update it over Bluetooth with the nRF Connect app or the web updater (espruino.com/Firmware+Update); that may empty Storage, so pull first`;
  if (!atLeast(version, TOLERATED.major, TOLERATED.minor))
    throw new DeviceError(
      "old_interpreter",
      `${board.name}: Espruino ${version.text} on this ${facts.name} is too old, ${NEEDED.major}v${NEEDED.minor} or later is needed; ${how}`,
    );
  if (!tolerant)
    throw new DeviceError(
      "old_interpreter",
      `${board.name}: Espruino ${version.text} can lose files when it compacts Storage, ${NEEDED.major}v${NEEDED.minor} mended that; ${how}, or take the risk with --old-interpreter`,
    );
}

/** Is Storage to be made anew? @throws DeviceError where that would lose something the user has not given up */
function decide(
  board: Board,
  facts: BoardFacts,
  survey: StorageSurvey,
  bundle: Bundle,
  status: AnyStatus | undefined,
  options: FlashOptions,
): boolean {
  const { name } = board;
  if (survey.kind === "blank") return true;
  if (options.erase) {
    const waiting = notPulled(status);
    const unknown = waiting === undefined && survey.hasRecords;
    // an acknowledgement is a record itself: one that was not pulled is no loss
    if ((unknown || (waiting ?? 0) > 1) && !options.discard) {
      const what = waiting
        ? `${waiting} records that were not pulled`
        : "a log, and without its firmware running nobody can tell what of it was pulled";
      throw new DeviceError(
        "not_pulled",
        `${name}: the board has ${what}; \`tracelet pull --port ${name} --db …\` first, or lose them with --discard`,
      );
    }
    options.say?.(
      `${name}: erasing ${survey.files.length === 0 ? "Storage" : someOf(survey.files)}${facts.storage.internal ? "" : "; the chip takes up to two minutes for that"}`,
    );
    return true;
  }
  if (survey.kind === "foreign") {
    const files = survey.files.length > 0 ? `files that are not ours (${someOf(survey.files)})` : "something in Storage that is not ours";
    // what makes it a watch lies there as well
    const back = facts.screen?.power === "Bangle.setLCDPower" ? "; clock, launcher and apps go too, and Espruino's app loader brings them back" : "";
    const count = survey.files.length > FILES_NAMED ? `${survey.files.length} ` : "";
    throw new DeviceError("foreign_files", `${name}: the board has ${count}${files}${back}; save what you need, then erase them with --erase`);
  }
  const { version, pagesBehind } = survey.head!;
  if (bundle.pagesBehind && version === bundle.logVersion && pagesBehind !== bundle.pagesBehind)
    throw new DeviceError("other_log", `${name}: the board's log has no pages for TempIDs, which a ${bundle.role} needs; ${BEGIN_ANEW}`);
  if (version !== bundle.logVersion)
    throw new DeviceError("other_log", `${name}: the board's log has format ${version}, the new firmware writes ${bundle.logVersion}; ${BEGIN_ANEW}`);
  return false;
}

/** The first names, and how many more there are. */
function someOf(files: string[]): string {
  const more = files.length - FILES_NAMED;
  return printable(files.slice(0, FILES_NAMED).join(", ")) + (more > 0 ? ` and ${more} more` : "");
}

/** Records that only the board has; `undefined` where it doesn't tell. */
function notPulled(status: AnyStatus | undefined): number | undefined {
  if (status?.hi === undefined || status.ak === undefined || status.lo === undefined) return undefined;
  return status.hi - Math.max(status.ak, status.lo);
}

const BEGIN_ANEW = "pull it (`tracelet pull`), then begin a new one with --erase";

/** The firmware takes a log of any size; the code must find room behind the one that is there. */
function requireRoom(board: Board, bundle: Bundle, layout: Layout, fresh: boolean): void {
  const room = roomForCode(layout, bundle.recovery?.length ?? 0);
  if (bundle.code.length <= room) return;
  const has = `${board.name}: the firmware has ${bundle.code.length} bytes, and behind a log of ${layout.logPages} pages there is room for ${room}`;
  if (fresh) throw new DeviceError("too_large", `${has}; choose a smaller role or leave a protocol out`);
  throw new DeviceError("other_log", `${has}; it wants a log of ${bundle.logPages} pages: ${BEGIN_ANEW}`);
}

/** `oldId`: id of the log that stays, hex; undefined: a new one is made. */
async function replace(
  board: Board,
  bundle: Bundle,
  layout: Layout,
  oldId: string | undefined,
  options: FlashOptions,
): Promise<"SHA-256" | "CRC-32"> {
  const { repl, clock } = board;
  // The old firmware stops: nothing else may run or write while Storage changes. The interpreter's own advertisements, with its name, are switched off too.
  await repl.send("reset()");
  await sleep(clock, RESET_MS);
  await repl.attach();
  // Not where Bluetooth is how we got here: it would end the connection.
  if (layout.facts.console.device !== "Terminal") await repl.send("try{NRF.sleep()}catch(e){}");
  const raised = options.fast ? await raiseSpeed(repl, board.identity) : undefined;
  const forget = raised && options.onInterrupt?.(raised.restore);
  try {
    const id = options.logId ?? randomBytes(LOG_ID_BYTES);
    if (oldId === undefined) {
      // a log without code is an ordinary state; code without a log is not: so the code goes first and comes last
      await repl.evaluate(`require("Storage").erase("${CODE_FILE}")`);
      await createLog(repl, layout, id);
    } else await clearCode(repl, layout);
    const total = bundle.code.length;
    await uploadCode(repl, board.identity.version, layout, bundle.code, (done) => options.onProgress?.(done, total));
    if (bundle.recovery) await writeRecovery(repl, bundle.recovery);
    const checkedBy = await commitCode(repl, layout, bundle.code, createHash("sha256").update(bundle.code).digest("hex"));
    if (layout.facts.screen?.power && !(await storeLabel(repl, screenImage(oldId ?? Buffer.from(id).toString("hex")))))
      options.say?.(`${board.name}: there was no room for the QR code of its screen; all else is as it should be`);
    return checkedBy;
  } finally {
    await raised?.restore();
    forget?.();
  }
}

/** Starts what was flashed and waits until it answers with its version. */
async function startAndWait(board: Board, bundle: Bundle): Promise<AnyStatus> {
  const { repl, clock, stream } = board;
  stream.clear();
  await repl.send("load()");
  await sleep(clock, START_MS);
  const said = /(Uncaught [^\r\n]*|OUT OF MEMORY)/.exec(stream.text)?.[1];
  for (let i = 0; i < START_TRIES; i++) {
    const identity = await repl.attach();
    if (identity.firmware) {
      const status = await new Board(repl, identity).anyStatus();
      if (status.v === bundle.version && status.b === bundle.board) return status;
      throw new DeviceError(
        "not_running",
        `${board.name}: the firmware was written, but ${status.v} for ${status.b} answers instead of ${bundle.version}; run the command again`,
      );
    }
    await sleep(clock, START_MS);
  }
  const words = said ? `; the board says: ${printable(said)}` : "";
  throw new DeviceError(
    "not_running",
    `${board.name}: the firmware was written and checked, but does not run${words}. Switch the board off and on without pressing its button; if that doesn't help, flash the version before`,
  );
}
