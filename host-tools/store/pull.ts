import type Database from "better-sqlite3";
import { WORD_BYTES } from "../../protocols/log-format.ts";
import { FormatError } from "../errors.ts";
import { type BoardContact, meetBoard } from "./boards.ts";
import { resolveChange, stretchesByEra, TickRange } from "./clocks.ts";
import { decodeBlock, type LogRecord, type PulledBlock, splitRecords } from "./log-decoder.ts";
import { completedMeeting } from "./meetings.ts";

const ENCOUNTERS: LogRecord["kind"][] = ["encounter", "dense", "others", "others-dense", "meeting", "meeting-again"];

/** What became of a pull. */
export interface Committed {
  board: string;
  /** Records that were not in the store yet, and how many of them are encounters, of whatever protocol. */
  added: number;
  encounters: number;
  /** Sequence number before which the store now has everything that was pulled: what may be acknowledged to the board. */
  upTo: number;
  /** Records that failed their check or are of a protocol unknown here, of this pull. */
  damaged: { seq: number; reason: string }[];
}

/**
 * Commits what was pulled from one board, all of it or nothing. Only after this returned may the hub acknowledge: the board then frees the records.
 * The same blocks again add nothing.
 * @throws FormatError `log_changed` where the store has another record under the same log id and sequence number.
 */
export function commitPull(database: Database.Database, contact: BoardContact, blocks: Iterable<PulledBlock>, now: number): Committed {
  return database
    .transaction(() => {
      const { log, board, nextSeq } = meetBoard(database, contact, now);
      const committed: Committed = { board, added: 0, encounters: 0, upTo: nextSeq, damaged: [] };
      const write = createWriter(database, contact, log, now);
      for (const block of blocks) {
        const slots = splitRecords(block.slots);
        for (const [i, record] of decodeBlock(block).entries()) {
          if (record.kind === "damaged") committed.damaged.push({ seq: record.seq, reason: record.reason });
          if (!write.record(record, slots[i])) continue;
          committed.added++;
          if (ENCOUNTERS.includes(record.kind)) committed.encounters++;
        }
        committed.upTo = Math.max(committed.upTo, block.nextSeq ?? block.seq + block.slots.length / WORD_BYTES);
      }
      write.times();
      database.prepare("UPDATE logs SET next_seq = ? WHERE id = ?").run(committed.upTo, log);
      return committed;
    })
    .immediate();
}

/** Statements of one commit, and the eras whose times it has to work out at its end. */
function createWriter(database: Database.Database, contact: BoardContact, log: number, now: number) {
  const stored = database.prepare("SELECT slot FROM records WHERE log = ? AND seq = ?").pluck();
  const addRecord = database.prepare(
    "INSERT INTO records (log, seq, era, base_tick, kind, slot, committed_unix) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const addDamaged = database.prepare("INSERT INTO damaged (log, seq, reason, committed_unix) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
  const addEncounter = database.prepare(
    `INSERT INTO encounters (log, seq, era, first_tick, last_tick, rpi, aem, count, max_rssi, mean_rssi) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const addOthers = database.prepare(
    `INSERT INTO encounters (log, seq, era, first_tick, last_tick, rpi, count, max_rssi, mean_rssi, protocol, tx_power) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const addMeeting = database.prepare("INSERT INTO meetings (log, seq, temp_id, central, authority) VALUES (?, ?, ?, ?, ?)");
  const addSighting = database.prepare(
    "INSERT INTO sightings (log, seq, era, tick, rpi, rssi, address, address_type) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const addClock = database.prepare(
    "INSERT INTO clocks (log, seq, era, tick, unix_ms, step_ms, round_trip_ms, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const touched = new Map<number, TickRange>();
  const before = stretchesByEra(database, log);
  const touch = (era: number, from: number, to: number) => {
    const range = touched.get(era);
    if (range) range.include(from, to);
    else touched.set(era, new TickRange(from, to));
  };

  return {
    /** Is it new? */
    record(record: LogRecord, slot: Uint8Array): boolean {
      const { seq, era } = record;
      // Nothing to keep. A damaged record's bytes are not kept either: they may be an own key whose write was cut short.
      if (record.kind === "blank" || record.kind === "deleted") return false;
      if (record.kind === "damaged") {
        addDamaged.run(log, seq, record.reason, now);
        return false;
      }
      if (addRecord.run(log, seq, era, record.baseTick, record.kind, slot, now).changes === 0) {
        if (!Buffer.from(slot).equals(stored.get(log, seq) as Buffer)) throw changedLog(contact, seq);
        return false;
      }
      if (record.kind === "encounter") {
        const { firstTick, lastTick, rpi, aem, count, maxRssi, meanRssi } = record;
        addEncounter.run(log, seq, era, firstTick, lastTick, rpi, aem, count, maxRssi, meanRssi);
        touch(era, firstTick, lastTick);
      } else if (record.kind === "dense") {
        const { firstTick, lastTick, prefix, power, maxRssi, meanRssi } = record;
        addEncounter.run(log, seq, era, firstTick, lastTick, prefix, power, null, maxRssi, meanRssi);
        touch(era, firstTick, lastTick);
      } else if (record.kind === "others" || record.kind === "others-dense") {
        const { firstTick, lastTick, maxRssi, meanRssi, protocol, txPower } = record;
        const [identifier, count] = record.kind === "others" ? [record.identifier, record.count] : [record.prefix, null];
        addOthers.run(log, seq, era, firstTick, lastTick, identifier, count, maxRssi, meanRssi, protocol, txPower ?? null);
        touch(era, firstTick, lastTick);
      } else if (record.kind === "meeting" || record.kind === "meeting-part" || record.kind === "meeting-again") {
        const whole = completedMeeting(database, log, record);
        if (!whole) return true;
        const { seq: at, era: then, tick, begin, rssi, txPower, central } = whole.first;
        addOthers.run(log, at, then, tick, tick, begin, whole.tempId ? 1 : null, rssi, rssi, "bluetrace", txPower ?? null);
        addMeeting.run(log, at, whole.tempId ?? null, central ? 1 : 0, contact.authority ?? null);
        touch(then, tick, tick);
      } else if (record.kind === "sighting") {
        addSighting.run(log, seq, era, record.tick, record.rpi, record.rssi, record.address, record.addressType);
        touch(era, record.tick, record.tick);
      } else if (record.kind === "clock") {
        const { clockEra, tick, unixMs, stepMs, roundTripMs, why } = record;
        if (unixMs === undefined) return true;
        addClock.run(log, seq, clockEra, tick, unixMs, stepMs ?? null, roundTripMs, why);
      }
      return true;
    },
    /** Works out the UTC of new records, and of older ones that a new CLOCK bears upon. */
    times(): void {
      resolveChange(database, log, before, touched);
    },
  };
}

function changedLog(contact: BoardContact, seq: number): FormatError {
  const next = "give the board a new log (tracelet provision), or pull into another database; nothing was stored or acknowledged";
  return new FormatError("log_changed", `board ${contact.id ?? contact.logId}: record ${seq} differs from the one stored before; ${next}`);
}
