import type Database from "better-sqlite3";
import type { Kysely } from "kysely";
import { readU32 } from "../../protocols/bytes.ts";
import { ROLLING_PERIOD } from "../../protocols/gaen/key-schedule.ts";
import { KEY_OF_OTHERS_ENDED } from "../../protocols/log-format.ts";
import { CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { type BoardContact, meetBoard } from "./boards.ts";
import { isOfOthers, otherProtocol, splitPayloads } from "./log-decoder.ts";
import type { Tables } from "./schema.ts";

// Own keys of the protocols beside GAEN, as boards hand them over in parts of 16 bytes (log-format.ts, TEK), and their table. They are as secret as keys.ts says.

/**
 * A key that its owner may publish.
 *
 * ct10             the daily tracing key of `startDay`, 16 bytes
 * dp3t             SK of `startDay`, 32 bytes, from which those of all later days follow
 * dp3t-unlinkable  what the seeds of `startDay` are made of, 16 bytes: see epochSeed
 * opencovidtrace   daily key and meta key of `startDay`, 16 bytes each
 */
export interface KeyOfOthers {
  /** Name, of PROTOCOLS in boards/capabilities.ts. */
  protocol: string;
  key: Uint8Array;
  /** Days since 1970. */
  startDay: number;
  /** The last day it was used; undefined for a chain of SKs that goes on. */
  lastDay: number | undefined;
  /** Nothing more is sent from it. */
  ended: boolean;
}

export interface DecodedKeysOfOthers {
  /** In order of their day. */
  keys: KeyOfOthers[];
  /** Parts that are no whole key, and why; never with any of their bytes. */
  setApart: { reason: string; count: number }[];
}

interface Part {
  tag: number;
  part: number;
  startDay: number;
  period: number;
  ended: boolean;
  bytes: Uint8Array;
}

function readPart(payload: Uint8Array): Part {
  return {
    tag: payload[22],
    part: payload[23],
    startDay: Math.floor(readU32(payload, 16) / ROLLING_PERIOD),
    period: payload[20],
    ended: payload[21] === KEY_OF_OTHERS_ENDED,
    bytes: payload.slice(0, 16),
  };
}

/**
 * Keys of the other protocols from the answer of `T.k`, each once: copies that a board makes before its oldest page goes don't count again.
 * @throws FormatError where the answer isn't made of whole payloads.
 */
export function decodeKeysOfOthers(payloads: Uint8Array): DecodedKeysOfOthers {
  const apart = new Map<string, number>();
  const setApart = (reason: string, count = 1) => apart.set(reason, (apart.get(reason) ?? 0) + count);
  const seen = new Set<string>();
  const keys = new Map<string, KeyOfOthers>();
  const add = (key: KeyOfOthers) => {
    const name = `${key.protocol} ${key.startDay} ${Buffer.from(key.key).toString("latin1")}`;
    if (key.ended || !keys.has(name)) keys.set(name, key);
  };
  /** Parts of secrets of several that began on the same day and are in the same state, in the order of the log. */
  const chains = new Map<string, Part[]>();
  for (const payload of splitPayloads(payloads).filter(isOfOthers)) {
    const content = Buffer.from(payload).toString("latin1");
    if (seen.has(content)) continue;
    seen.add(content);
    const part = readPart(payload);
    const { tag, startDay, ended, bytes } = part;
    const protocol = otherProtocol(tag);
    if (protocol === undefined) setApart(`unknown protocol ${tag}`);
    else if (tag === DP3T_TAG || tag === OPENCOVIDTRACE_TAG) {
      const chain = `${tag} ${startDay} ${ended} ${part.period}`;
      chains.set(chain, [...(chains.get(chain) ?? []), part]);
    } else if ((tag === CT10_TAG || tag === DP3T_UNLINKABLE_TAG) && part.part === 0)
      add({ protocol, key: bytes, startDay, lastDay: startDay, ended });
    else setApart(`${protocol}: a part that no key of it has`);
  }
  for (const parts of chains.values()) {
    const { tag } = parts[0];
    const protocol = otherProtocol(tag)!;
    const { joined, incomplete } = joinChain(parts);
    for (const { key, first } of joined) {
      const { startDay, ended, period } = first;
      add({ protocol, key, startDay, lastDay: tag !== DP3T_TAG ? startDay : ended ? startDay + period : undefined, ended });
    }
    if (incomplete > 0) setApart(`${protocol}: incomplete, its other half is not there`, incomplete);
  }
  return {
    keys: [...keys.values()].sort((a, b) => a.startDay - b.startDay || (a.protocol < b.protocol ? -1 : 1)),
    setApart: [...apart].map(([reason, count]) => ({ reason, count })),
  };
}

/**
 * Secrets out of parts 0 and 1. Chains that ended on the day they began look alike, but each was written in one go, so its parts follow each other; and where the oldest page's were
 * copied to the newest, the first part of the list follows the last one.
 */
function joinChain(parts: Part[]): { joined: { key: Uint8Array; first: Part }[]; incomplete: number } {
  const joined: { key: Uint8Array; first: Part }[] = [];
  const used = new Set<Part>();
  for (const [i, first] of parts.entries()) {
    const second = parts[(i + 1) % parts.length];
    if (first.part !== 0 || second.part !== 1) continue;
    joined.push({ key: Buffer.concat([first.bytes, second.bytes]), first });
    used.add(first).add(second);
  }
  // what the order of the EphIDs is drawn with is nobody's business here
  return { joined, incomplete: parts.filter((part) => part.part !== 2 && !used.has(part)).length };
}

export interface StoredKeyOfOthers extends KeyOfOthers {
  board: string | null;
}

/** Stores what `T.k` handed over. Answers how many are new; of a known key, whether it has ended since. */
export function addKeysOfOthers(database: Database.Database, contact: BoardContact, keys: KeyOfOthers[], now: number): number {
  return database
    .transaction(() => {
      const { board } = meetBoard(database, contact, now);
      const known = database.prepare("SELECT 1 FROM keys_of_others WHERE protocol = ? AND key = ? AND start_day = ?").pluck();
      const add = database.prepare(
        `INSERT INTO keys_of_others (protocol, key, start_day, last_day, ended, board_id, added_unix) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET ended = max(ended, excluded.ended), last_day = coalesce(excluded.last_day, last_day), added_unix = excluded.added_unix`,
      );
      let added = 0;
      for (const { protocol, key, startDay, lastDay, ended } of keys) {
        if (known.get(protocol, key, startDay) === undefined) added++;
        add.run(protocol, key, startDay, lastDay ?? null, ended ? 1 : 0, board, now);
      }
      return added;
    })
    .immediate();
}

/** Keys of the other protocols in order of their day; of one board where it is named. */
export async function keysOfOthers(query: Kysely<Tables>, board?: string): Promise<StoredKeyOfOthers[]> {
  let select = query
    .selectFrom("keys_of_others")
    .select(["protocol", "key", "start_day as startDay", "last_day as lastDay", "ended", "board_id as board"])
    .orderBy("start_day")
    .orderBy("protocol")
    .orderBy("board_id")
    .orderBy("key");
  if (board !== undefined) select = select.where("board_id", "=", board);
  return (await select.execute()).map((row) => ({ ...row, lastDay: row.lastDay ?? undefined, ended: row.ended === 1 }));
}
