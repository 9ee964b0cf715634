import type Database from "better-sqlite3";
import { Kysely, SqliteDialect } from "kysely";
import { type BatteryChange, batteryChanges } from "./battery-changes.ts";
import { type BoardContact, listBoards, meetBoard, type StoredBoard } from "./boards.ts";
import { type ClockHistory, clockHistory, leaveOut } from "./clock-history.ts";
import { addClockSync, type ClockSync, clockSyncs, keyHandOvers, resolveTimes } from "./clocks.ts";
import { addContact, type ContactKeys, contactKeys, contactKeysOf, contacts, type StoredContact } from "./contacts.ts";
import { cycleTimes } from "./cycle-times.ts";
import { type OpenOptions, openDatabase } from "./database.ts";
import { databaseError } from "./database-errors.ts";
import {
  encounters,
  encountersOfOthers,
  type Filter,
  type StoredEncounter,
  type StoredOthers,
  type StoredSighting,
  sightings,
} from "./encounters.ts";
import { type Imported, type ImportedFile, importRows, type MeetingRow } from "./import-rows.ts";
import { addKeys, keys, type StoredKey } from "./keys.ts";
import { addKeysOfOthers, type KeyOfOthers, keysOfOthers, type StoredKeyOfOthers } from "./keys-of-others.ts";
import type { OwnKey, PulledBlock } from "./log-decoder.ts";
import { addMark, marks, type NewMark, removeMark, type StoredMark } from "./marks.ts";
import { meetings, type StoredMeeting } from "./meetings.ts";
import { addMessages, messages, type ReceivedMessage, type StoredMessage } from "./messages.ts";
import type { MhRow } from "./mh-csv.ts";
import { type Committed, commitPull } from "./pull.ts";
import { MEETING_DAYS, type Purged, purge, RETENTION_DAYS } from "./retention.ts";
import type { Tables } from "./schema.ts";
import { type UndatedEncounter, undatedEncounters } from "./undated.ts";

export interface StoreOptions extends OpenOptions {
  /** Unix seconds now; the system's clock where it is left out. */
  now?: () => number;
}

/**
 * What the hub knows of its boards, in one SQLite file: what they heard, when that was, their clocks, and keys they handed over.
 * Every method that writes is one transaction: it is done as a whole or not at all.
 *
 * @example
 * const store = Store.open("tracelet.db");
 * const { upTo } = await store.commitPull({ logId: status.id, type: status.b }, blocks);
 * await link.acknowledge(upTo);   // only now may the board free its records
 * await store.close();
 */
export class Store {
  readonly #query: Kysely<Tables>;

  private constructor(
    private readonly database: Database.Database,
    readonly path: string,
    private readonly now: () => number,
  ) {
    this.#query = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
  }

  /** Opens or creates the database at `path` (`:memory:` for one that is forgotten). @throws ToolError, see database.ts */
  static open(path: string, options: StoreOptions = {}): Store {
    return new Store(openDatabase(path, options), path, options.now ?? (() => Math.floor(Date.now() / 1000)));
  }

  /** Commits what was pulled from one board. Acknowledge `upTo` to the board after this returned, never before. See pull.ts. */
  commitPull(board: BoardContact, blocks: Iterable<PulledBlock>): Promise<Committed> {
    return this.guarded(() => commitPull(this.database, board, blocks, this.now()));
  }

  /** By log id: the sequence number before which everything is here, so where the next pull begins. */
  positions(): Promise<Map<string, number>> {
    return this.guarded(async () => {
      const rows = await this.#query.selectFrom("logs").select(["log_id", "next_seq"]).execute();
      return new Map(rows.map((row) => [row.log_id, row.next_seq]));
    });
  }

  boards(): Promise<StoredBoard[]> {
    return this.guarded(() => listBoards(this.#query));
  }

  /** Enters a board with its log and its name, or brings them up to date. */
  enterBoard(board: BoardContact): Promise<void> {
    return this.guarded(() => {
      this.database.transaction(() => meetBoard(this.database, board, this.now())).immediate();
    });
  }

  addClockSync(board: BoardContact, sync: ClockSync): Promise<void> {
    return this.guarded(() => addClockSync(this.database, board, sync, this.now()));
  }

  /** Unix ms at which the board of this log handed its own keys over, oldest first. */
  keyHandOvers(logId: string): Promise<number[]> {
    return this.guarded(() => keyHandOvers(this.#query, logId));
  }

  /** History of one log, oldest first. */
  clockSyncs(logId: string): Promise<ClockSync[]> {
    return this.guarded(() => clockSyncs(this.#query, logId));
  }

  /** Works out all times anew from the CLOCK records. `commitPull` does it for what a pull touches; this is for a changed rule. Answers how many records changed. */
  resolveTimes(): Promise<number> {
    return this.guarded(() => resolveTimes(this.database));
  }

  /** What a log tells of its board's battery from `from` on: why sightings got rare. */
  batteryChanges(logId: string, from: number): Promise<BatteryChange[]> {
    return this.guarded(() => batteryChanges(this.database, logId, from));
  }

  /** How boards' clocks ran, and what was corrected: see clock-history.ts. */
  clockHistory(board?: string): Promise<ClockHistory[]> {
    return this.guarded(() => clockHistory(this.database, board));
  }

  /** Dates a board's log without one contact, or with it again: see clock-history.ts. Answers how many records changed. */
  leaveOutContact(board: string, contact: { era: number; tick: number }, leftOut: boolean): Promise<number> {
    return this.guarded(() => leaveOut(this.database, board, contact, leftOut));
  }

  /** Encounters of eras without a date, and between which times they lie. */
  undated(board?: string): Promise<UndatedEncounter[]> {
    return this.guarded(() => undatedEncounters(this.database, board));
  }

  /** GAEN's. Those of others are never among them (CT-05). */
  encounters(filter?: Filter): Promise<StoredEncounter[]> {
    return this.guarded(() => encounters(this.#query, filter));
  }

  /** Those of one protocol beside GAEN. */
  encountersOf(protocol: string, filter?: Filter): Promise<StoredOthers[]> {
    return this.guarded(() => encountersOfOthers(this.#query, protocol, filter));
  }

  /** Single sightings: of boards with the raw log on, and of imported raw files. */
  sightings(filter?: Filter): Promise<StoredSighting[]> {
    return this.guarded(() => sightings(this.#query, filter));
  }

  /** Takes the rows of a file of the peer tool or of a phone; what is known already is counted and left alone. */
  importRows(file: ImportedFile, rows: Iterable<MhRow | MeetingRow>): Promise<Imported> {
    return this.guarded(() => importRows(this.database, file, rows, this.now()));
  }

  /** Stores own keys of a board. Answers how many are new. */
  addKeys(board: BoardContact, own: OwnKey[]): Promise<number> {
    return this.guarded(() => addKeys(this.database, board, own, this.now()));
  }

  /** Own keys, secret: see keys.ts. */
  keys(board?: string): Promise<StoredKey[]> {
    return this.guarded(() => keys(this.#query, board));
  }

  /** Stores own keys of the other protocols. Answers how many are new. */
  addKeysOfOthers(board: BoardContact, own: KeyOfOthers[]): Promise<number> {
    return this.guarded(() => addKeysOfOthers(this.database, board, own, this.now()));
  }

  /** Own keys of the other protocols, as secret as GAEN's. */
  keysOfOthers(board?: string): Promise<StoredKeyOfOthers[]> {
    return this.guarded(() => keysOfOthers(this.#query, board));
  }

  /** Stores messages of SmartBeacons that a board collected. Answers how many are new. */
  addMessages(board: BoardContact, received: ReceivedMessage[]): Promise<number> {
    return this.guarded(() => addMessages(this.database, board, received, this.now()));
  }

  /** Collected messages in the order in which they came; of one board where it is named. */
  messages(board?: string): Promise<StoredMessage[]> {
    return this.guarded(() => messages(this.#query, board));
  }

  /** Keys of a board's day for contacts by QR code; `fresh` where there are none yet. Secret. */
  contactKeysOf(fresh: ContactKeys): Promise<ContactKeys> {
    return this.guarded(() => contactKeysOf(this.database, fresh));
  }

  /** All days of a board, secret. */
  contactKeys(board: string): Promise<ContactKeys[]> {
    return this.guarded(() => contactKeys(this.#query, board));
  }

  /** Stores a contact by QR code. Answers whether it is new. */
  addContact(contact: StoredContact): Promise<boolean> {
    return this.guarded(() => addContact(this.database, contact));
  }

  /** Contacts by QR code in the order in which they came; of one board where it is named. */
  contacts(board?: string): Promise<StoredContact[]> {
    return this.guarded(() => contacts(this.#query, board));
  }

  /** Marks encounters as safe (OCT-10), or a time of a board. Answers the mark's number. */
  addMark(mark: NewMark): Promise<number> {
    return this.guarded(() => addMark(this.database, mark, this.now()));
  }

  /** Answers whether there was such a mark. */
  removeMark(id: number): Promise<boolean> {
    return this.guarded(() => removeMark(this.database, id));
  }

  /** By board: from one scan to the next, seconds, as its log says. */
  cycleTimes(): Promise<Map<string, number>> {
    return this.guarded(() => cycleTimes(this.#query));
  }

  /** Those that make encounters safe. */
  async marks(): Promise<StoredMark[]> {
    return (await this.allMarks()).filter(({ kind }) => kind === "safe");
  }

  /** Those of every kind. */
  allMarks(): Promise<StoredMark[]> {
    return this.guarded(() => marks(this.#query));
  }

  /** Meetings of BlueTrace, with their TempIDs. */
  meetings(filter?: Filter): Promise<StoredMeeting[]> {
    return this.guarded(() => meetings(this.#query, filter));
  }

  /** Deletes what is older than `days`, or than is usual; `now` in Unix seconds. See retention.ts. */
  purge(now: number, days?: number): Promise<Purged> {
    return this.guarded(() => purge(this.database, now, days ?? RETENTION_DAYS, days ?? MEETING_DAYS));
  }

  close(): Promise<void> {
    return this.guarded(async () => {
      await this.#query.destroy();
      // Kysely closes only what it has used itself.
      this.database.close();
    });
  }

  private async guarded<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw databaseError(error, this.path);
    }
  }
}
