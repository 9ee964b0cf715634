import { ADVERTISE, BOARD_ID, COLLECT, CT10, LOCK, MESSAGES, PROOF, PROTOCOLS, READS, ROLE, SCAN, SEVERAL, TOKEN, VERSION } from "tracelet:build";
import { TEMP_ID_PAGES } from "../protocols/bluetrace/temp-id-page.ts";
import { ascii, hex, readU32, writeInt } from "../protocols/bytes.ts";
import { BLOCK_HEADER_BYTES, NEVER_PROVEN, PROOF_ENTRY_BYTES, PROOF_TAG_BYTES } from "../protocols/device-link.ts";
import { intervalNumber } from "../protocols/gaen/key-schedule.ts";
import {
  CLOCK_STEP_UNKNOWN,
  KEY_OF_OTHERS,
  KEYS_HANDED_OVER,
  LOCK_KEY,
  LONG_BYTES,
  MARK,
  PAGE_BYTES,
  PAGE_WORDS,
  PAYLOAD_BYTES,
  recordWords,
  TEK,
  WORD_BYTES,
} from "../protocols/log-format.ts";
import { CT10_TAG } from "../protocols/protocol-tags.ts";
import { RETENTION, TRANSMIT } from "../protocols/settings.ts";
import { COMPACT_TOKEN, MESSAGE_FRAGMENT } from "../protocols/smartbeacon/advertisement.ts";
import { CARRIER_AT, SETUP_BYTES } from "../protocols/smartbeacon/setup.ts";
import { loadedMillivolts, lowBattery } from "./battery.ts";
import { batteryVolts } from "./battery-volts.ts";
import { refusedScans, unreadable } from "./bluetrace/client.ts";
import { meetings, refused as refusedMeetings } from "./bluetrace/meetings.ts";
import { hasPages, org, pageEnds, refreshTime, tempIdPage, tempIdsLeft } from "./bluetrace/temp-ids.ts";
import { PLAUSIBLE, tick, unixTime } from "./board-clock.ts";
import { aes128, aesInUse, boardCrypto, sha256InUse } from "./crypto/board.ts";
import {
  acknowledge,
  acknowledged,
  appendClock,
  appendSettings,
  dropped,
  eachOf,
  era,
  firstSequence,
  flash,
  flashErrors,
  isLiveKey,
  logId,
  nextSequence,
  pages,
  readHeader,
  seal,
  usable,
  wordAddress,
  writesDense,
} from "./encounter-log.ts";
import { frame } from "./frame.ts";
import { cuts, refusals } from "./gatt-client.ts";
import { lockKey, session, setLock, wrongAnswers } from "./lock.ts";
import { endKeys, transmitted } from "./roles/beacon.ts";
import { collected, handOver, refused } from "./roles/collector.ts";
import { reads, unreached, unreadable as unreadablePeers } from "./roles/reader.ts";
import { deadScans, openEncounters, overflows, radioRestarts, scanner, sightings } from "./roles/scanner.ts";
import { takeTempIds } from "./roles/token.ts";
import { dailyKeys } from "./senders/contact-tracing-v1.ts";
import { setUp } from "./senders/smartbeacon.ts";
import { settings } from "./settings.ts";
import { advertising, privateAddress, radioErrors, rotations, sentIdentifier, stopAdvertising } from "./transmitter.ts";

/** Tick of the last sighting by which somebody proved that our advertisements are on the air; undefined: nobody has since the start. */
export let lastProof = -NEVER_PROVEN;
/** First word of the tag that was asked for last; 0: none. */
let askedTag = 0;

// The commands of protocols/device-link.ts, on the global object `T`. Each prints one frame.

function send(payload: Uint8Array): void {
  print(frame(payload));
}
function answer(value: object): void {
  send(ascii(JSON.stringify(value)));
}
function refuse(code: string): void {
  send(ascii("!" + code));
}

/** `setClock`: Unix seconds and the link's round trip in ms; answers the step in ms. `refresh`: rotate now. */
export function installConsole(setClock: (unix: number, roundTripMs: number) => number, refresh: () => void): void {
  function commands(): { [name: string]: (...values: never[]) => void } {
    if (LOCK) session(true);
    const known: { [name: string]: (...values: never[]) => void } = {
      s: function () {
        const all: { [key: string]: unknown } = {
          v: VERSION,
          b: BOARD_ID,
          r: ROLE,
          id: usable ? hex(logId) : "",
          e: era,
          t: tick(),
          u: Math.round(unixTime() * 1000),
          lo: firstSequence(),
          hi: nextSequence(),
          ak: acknowledged,
          dr: dropped,
          pg: pages,
          df: +writesDense(),
          op: SCAN ? openEncounters : 0,
          n: SCAN ? sightings : 0,
          ad: +((ADVERTISE || TOKEN) && advertising),
          ro: ADVERTISE || TOKEN ? rotations : 0,
          er: [
            TOKEN ? radioErrors + refusals + refusedScans : READS ? (ADVERTISE ? radioErrors : 0) + refusals : ADVERTISE ? radioErrors : 0,
            flashErrors,
            SCAN ? overflows : 0,
          ],
          c: settings,
          an: ADVERTISE ? +privateAddress : undefined,
          cr: ADVERTISE || PROOF ? aesInUse : undefined,
          sh: ADVERTISE ? sha256InUse : undefined,
          pf: PROOF && ADVERTISE ? (tick() - lastProof) | 0 : undefined,
          mv: Math.round(/*@__INLINE__*/ batteryVolts() * 1000),
          ml: SCAN || TOKEN ? loadedMillivolts : undefined,
          lb: SCAN || TOKEN ? +lowBattery : undefined,
          wd: SCAN ? [deadScans, radioRestarts] : undefined,
        };
        if (COLLECT) all.co = [collected, refused];
        if (READS) all.gr = [reads, unreadablePeers, unreached, cuts];
        if (SEVERAL) all.pr = [PROTOCOLS, TOKEN ? PROTOCOLS : ADVERTISE ? transmitted() : 0];
        if (TOKEN) {
          all.ha = hasPages() ? org : null;
          all.te = [tempIdsLeft(unixTime()), refreshTime].concat(pageEnds);
          all.me = [meetings, refusedMeetings, unreadable, cuts];
        }
        if (LOCK) {
          all.lk = lockKey ? 1 : 0;
          all.wr = wrongAnswers;
        }
        answer(all);
      },
      r: function (sequence: number, count: number) {
        const end = nextSequence();
        const word = sequence % PAGE_WORDS;
        const page = (sequence - word) / PAGE_WORDS;
        const header = readHeader(page);
        const stop = header.page === page ? Math.min(word + count, PAGE_WORDS, end - sequence + word) : 0;
        let from = 0;
        let to = 0;
        // records begin where the ones before end
        while (to < stop) {
          const first = flash.read(1, wordAddress(page, to))[0];
          const next = to + recordWords(first);
          if (to < word) {
            from = next;
            if ((first & 15) === MARK) {
              const slot = flash.read(LONG_BYTES, wordAddress(page, to));
              if (seal(slot)) {
                header.era = readU32(slot, 1);
                header.base = readU32(slot, 5);
              }
            }
          }
          to = next;
        }
        const block = new Uint8Array(BLOCK_HEADER_BYTES + (to - from) * WORD_BYTES);
        if (to > from) block.set(flash.read((to - from) * WORD_BYTES, wordAddress(page, from)), BLOCK_HEADER_BYTES);
        for (let i = BLOCK_HEADER_BYTES; i < block.length; ) {
          const slot = block.subarray(i, i + recordWords(block[i]) * WORD_BYTES);
          i += slot.length;
          // a key of our own is handed over by its own command only; what is not whole may be one
          if (!seal(slot) || (slot[0] & 15) === TEK) {
            slot[0] |= 240;
            slot.fill(255, 1);
          }
        }
        const begin = sequence - word;
        [
          sequence,
          stop ? header.era : 0,
          header.base,
          // pages that did not survive are stepped over
          stop ? begin + stop : Math.min(end, Math.max(begin + PAGE_WORDS, firstSequence())),
          begin + from,
        ].forEach(function (value, i) {
          writeInt(block, i * 4, 4, value);
        });
        send(block);
      },
      a: function (sequence: number) {
        if (!(sequence >= 0 && sequence <= nextSequence())) return refuse("seq");
        if (sequence > acknowledged) /*@__INLINE__*/ acknowledge(sequence);
        answer({});
      },
      t: function (unix: number, ms: number, roundTripMs: number) {
        if (!(unix >= PLAUSIBLE && unix >>> 0 === unix)) return refuse("arg");
        const step = setClock(unix + ms / 1000, roundTripMs);
        answer({ step: step === CLOCK_STEP_UNKNOWN ? null : step });
      },
      c: function (index: number, value: number) {
        // a whole number of 16 bits, as it is kept
        if (settings[index] !== undefined && (value << 16) >> 16 === value) {
          settings[index] = value;
          /*@__INLINE__*/ appendSettings();
          // what is on the air may be what is to be sent no longer
          if (SEVERAL && ADVERTISE && index === TRANSMIT) {
            stopAdvertising();
            refresh();
          }
        }
        answer({ c: settings });
      },
      k: function (fresh: number) {
        // TempIDs are the authority's, and a token has no others
        if (TOKEN) return send(new Uint8Array(0));
        const interval = intervalNumber(unixTime());
        if (!interval) return refuse("clk");
        if (ADVERTISE && fresh) {
          endKeys(interval);
          refresh();
        }
        const keys = CT10 && ADVERTISE ? dailyKeys(boardCrypto, unixTime(), settings[RETENTION]) : [];
        eachOf(1 << TEK, function (slot) {
          // of a key still in use, what has been sent; none of days to come, if the clock was wrong (GAEN-12)
          slot[21] = Math.min(slot[21], Math.max(0, interval - readU32(slot, 17) + 1));
          // nor the tracing key of v1.0 itself
          if (CT10 && slot[22] === KEY_OF_OTHERS && slot[23] === CT10_TAG) return;
          if (slot[22] !== LOCK_KEY && isLiveKey(slot)) keys.push(slot);
        });
        // first of all, so that it is known whatever happens to the answer
        appendClock(KEYS_HANDED_OVER, CLOCK_STEP_UNKNOWN, 0);
        const all = new Uint8Array(keys.length * PAYLOAD_BYTES);
        for (let i = 0; i < keys.length; i++) all.set(keys[i].subarray(1, 1 + PAYLOAD_BYTES), i * PAYLOAD_BYTES);
        send(all);
      },
      p: function (k0: number, k1: number, k2: number, k3: number, listening: number) {
        if (!PROOF) return refuse("opt");
        const count = SCAN && listening ? openEncounters : 0;
        const blocks = new Uint8Array(16 + 16 * count);
        const all = new Uint8Array(1 + PROOF_TAG_BYTES + PROOF_ENTRY_BYTES * count);
        const key = new Uint8Array(16);
        const words = [k0, k1, k2, k3];
        for (let i = 0; i < 4; i++) writeInt(key, i * 4, 4, words[i]);
        if (ADVERTISE && advertising) {
          all[0] = 1;
          blocks.set(sentIdentifier);
        }
        if (count) scanner.testify(tick(), blocks, all);
        let tags = key;
        for (let i = 0; i <= count; i++) {
          const place = (i % 8) * 16;
          // a few at a time: the answer has to find its room in one piece
          if (!place) tags = aes128(key, blocks.subarray(i * 16, Math.min(blocks.length, i * 16 + 128)));
          if (i || all[0]) all.set(tags.subarray(place, place + PROOF_TAG_BYTES), i ? i * PROOF_ENTRY_BYTES - 2 : 1);
        }
        if (ADVERTISE) askedTag = readU32(all, 1);
        send(all);
      },
      y: function (tag: number, ago: number) {
        if (!(PROOF && ADVERTISE && askedTag && tag === askedTag && ago >= 0)) return refuse("tag");
        askedTag = 0;
        lastProof = tick() - ago;
        answer({});
      },
      l: LOCK
        ? function (k0, k1, k2, k3) {
            if (k0 !== undefined) /*@__INLINE__*/ setLock([k0, k1, k2, k3]);
            answer({});
            if (k0 === undefined) session();
          }
        : function () {
            refuse("opt");
          },
    };
    if (MESSAGES)
      known.b = function (setup: string) {
        const bytes = new Uint8Array(E.toArrayBuffer(atob(setup)));
        const kind = bytes[CARRIER_AT];
        if (bytes.length !== SETUP_BYTES || kind < MESSAGE_FRAGMENT || kind > COMPACT_TOKEN) return refuse("arg");
        setUp(bytes);
        answer({});
        refresh();
      };
    if (TOKEN)
      known.n = function (page: number, offset: number, text: string) {
        if (!(page >= 0 && page < TEMP_ID_PAGES && offset < PAGE_BYTES)) return refuse("arg");
        if (!hasPages()) return refuse("pag");
        const address = tempIdPage(page);
        if (offset < 0) flash.erasePage(address);
        else {
          const bytes = new Uint8Array(E.toArrayBuffer(atob(text)));
          if (!bytes.length || offset + bytes.length > PAGE_BYTES) return refuse("arg");
          flash.write(bytes, address + offset);
        }
        answer({});
        // its magic comes last, and makes a page of it
        if (!offset) {
          takeTempIds();
          refresh();
        }
      };
    if (COLLECT)
      known.q = function (taken: number) {
        send(handOver(taken));
      };
    return known;
  }
  // made anew for each command: functions that exist only while somebody asks cost no variables for the rest of the day
  Object.defineProperty(global, "T", {
    get: usable
      ? commands
      : function () {
          // without a log there is nothing to ask for but the status
          const all = commands();
          for (const name in all) {
            if (name !== "s")
              all[name] = function () {
                refuse("log");
              };
          }
          return all;
        },
  });
}
