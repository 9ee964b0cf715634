/**
 * What hub and board say to each other above the interpreter's console.
 *
 * Hub to board: one line, `\x10` + JavaScript + `\n`; the `\x10` silences echo and prompt. The firmware puts one object in the global scope, `T`; its methods are the commands.
 * It works over any console and with every release of the interpreter that runs the firmware; no packet protocol is needed.
 *
 * Board to hub: one frame an answer, printed. Other prints may stand before and after it, never inside.
 *
 *   offset 0  2 bytes  01 7F
 *   offset 2  u16      length of the payload, little-endian
 *   offset 4           payload
 *   then      u32      CRC-32 of length and payload, little-endian
 *
 * The console turns LF into CR LF on the way out: the receiver takes out each CR that stands right before an LF. Nothing else is changed, so every byte may stand in a frame.
 * A refusal is a frame whose payload begins with `!` and goes on with a code of REFUSALS.
 */
export const FRAME_FIRST = 0x01;
export const FRAME_SECOND = 0x7f;
export const FRAME_OVERHEAD = 8;

/**
 * Commands, as methods of the global `T`. Numbers are decimal.
 *
 * | call | answer |
 * |---|---|
 * | `T.s()` | JSON: the status, `DeviceStatus` |
 * | `T.r(seq, n)` | the records that begin in the `n` words from sequence number `seq` on, of one page: u32 seq as asked, u32 era, u32 base tick, u32 next seq, u32 sequence number of the first record, then the records, whole, one behind the other. Own keys, and records that are not whole, have ones behind their kind. Era 0: that page isn't there (any more); next seq says where to go on (or equals seq: end of the log) |
 * | `T.a(seq)` | the hub has everything before `seq`: remembered; answer JSON `{}` |
 * | `T.t(unix, ms, roundTripMs)` | set the clock; answer JSON `{"step":ms or null}` |
 * | `T.c(index, value)` | change a setting; answer JSON: the settings |
 * | `T.k(fresh)` | hand over own keys: records of kind TEK, 26-byte payloads one after the other; today's has the period elapsed so far. fresh 1: today's key ends here and a new one begins (GAEN-12) |
 * | `T.p(k0, k1, k2, k3, listening)` | proof of beaconing. A challenge of 16 bytes as four u32, little-endian; a tag is the first 8 bytes of AES-128 of an RPI with the challenge as key. Answer: u8 1 if an RPI is on the air, else 0; its tag, else zeros; then, if `listening` is 1 and the role scans, an entry for each open encounter: 8 bytes tag, u8 −max RSSI, u16 seconds since it was heard last |
 * | `T.y(tag, ago)` | somebody has heard the tag that the last `T.p` answered, `ago` seconds ago. `tag`: its first four bytes as a u32, little-endian; serves once; answer JSON `{}` |
 * | `T.l(k0, k1, k2, k3)` | lock key from now on: four u32, the 16 bytes little-endian; all zero: no lock. Answer JSON `{}`. In force when the session ends, and at each start |
 * | `T.b(setup)` | role smartbeacon: what it is from now on, the bytes of smartbeacon/setup.ts in base64; answer JSON `{}`. Kept over restarts, never told again |
 * | `T.n(page, offset, text)` | role token: bytes in base64 for a page of TempIDs (bluetrace/temp-id-page.ts); `offset` -1 erases it, 0 comes last and puts it in force; answer JSON `{}`. Never told again |
 * | `T.q(tick)` | of boards that collect SmartBeacons' messages: all that wait, after forgetting those complete up to `tick` (-1: none). Of each u32 tick at which it was complete, rounded up; u8 type, B1, B2 or B3; u8 length; the message |
 * | `T.l()` | ends the session: answer JSON `{}`, then the board is locked if it has a key |
 *
 * Era and base are those that hold for the first record of the answer; MARK records among them change them for what follows.
 */
export const COMMAND_OBJECT = "T";
/** In an answer of `T.r`, before the records. */
export const BLOCK_HEADER_BYTES = 20;

export const PROOF_TAG_BYTES = 8;
export const PROOF_ENTRY_BYTES = 11;
/**
 * A locked board has no console. On each of its ports it takes these lines, ending in LF, and no others: whatever else comes has neither answer nor effect.
 *
 * | line | answer, a frame |
 * |---|---|
 * | `?` | 16 random bytes, then u16: seconds until an answer is taken |
 * | 32 digits of `0-9a-f` | `{}` if they are AES-128 of the random bytes under the lock key: the port is the console now. Else `!key`, and the next answer is not taken for 1 s, twice as long after each further one, at most an hour |
 *
 * These frames go out as they are, and CR LF after each: one that has 0D 0A inside arrives damaged, and is asked for again.
 * Random bytes serve once, on the port that asked, within LOCK_NONCE_SECONDS. An answer that comes too early or too late is a wrong one.
 * The session ends by `T.l()`, with the end of a Bluetooth connection, and LOCK_SESSION_SECONDS after the last command.
 */
export const LOCK_ASK = "?";
/** Random bytes of a challenge, and of the key. */
export const LOCK_NONCE = 16;
/** Digits of an answer. */
export const LOCK_ANSWER = 32;
export const LOCK_NONCE_SECONDS = 60;
export const LOCK_SESSION_SECONDS = 300;

/** In the place of an age: there was no proof. */
export const NEVER_PROVEN = 1e9;

export interface DeviceStatus {
  /** Firmware version and build id. */
  v: string;
  /** Board the bundle was built for. */
  b: string;
  /** Role, a name of ROLES in boards/capabilities.ts. */
  r: string;
  /** Log id, hex. */
  id: string;
  /** Era and tick now, with fractions: what the hub knows of their relation to UTC it measures by this. */
  e: number;
  t: number;
  /** Unix time in ms now, 0 when the clock is not set. */
  u: number;
  /** Lowest sequence number from which on nothing is missing, next to be written, and up to which the hub acknowledged. Sequence numbers count words, see log-format.ts. */
  lo: number;
  hi: number;
  ak: number;
  /** Words of records lost before the hub had them, since start. */
  dr: number;
  /** Pages of the log's ring. */
  pg: number;
  /** New encounters are written in full (0) or dense (1). */
  df: number;
  /** Encounters open in RAM, and sightings heard since start. */
  op: number;
  n: number;
  /** Advertising now: 0 no, 1 yes. */
  ad: number;
  /** Rotations since start; each restarts the radio stack, but for those to a private address. */
  ro: number;
  /** Error counters: radio refused, flash, scans in which the input queue overflowed. */
  er: [number, number, number];
  /** Settings, in the order of settings.ts. */
  c: number[];
  /** Protocols built in, and those to be sent, bit n for tag n of protocol-tags.ts; absent where GAEN alone is built in. */
  pr?: [number, number];
  /** Of boards that read identifiers over connections, since start: identifiers read; peers that had none to read, or of the wrong length; peers not reached; links that were cut for taking too long. */
  gr?: [number, number, number, number];
  /** SmartBeacons' messages collected since start, and packets that were refused; of boards that collect. */
  co?: [number, number];
  // of the role token, BlueTrace
  /** Health authority; empty: nobody has brought TempIDs; null: the log has no pages for them. */
  ha?: string | null;
  /** TempIDs that have not expired; Unix time from which on new ones are due; last second of those of either page, 0: none. */
  te?: [number, number, number, number];
  /** Since start: meetings written down; messages refused; peers that offered nothing to read; links that were cut for taking too long. */
  me?: [number, number, number, number];
  /** AES of a board that has use for it: `in` the interpreter's, `sd` the chip's by way of the SoftDevice, `js` our own. */
  cr?: string;
  /** SHA-256 of a board that transmits: `in` the interpreter's, `th` our machine code, `js` our own. */
  sh?: string;
  /** Kind of the address that a board transmits from: 0 static random, 1 non-resolvable private. */
  an?: number;
  /** Seconds since the board's advertisements were last proven to be on the air, NEVER_PROVEN and more: never since start; of boards that advertise. */
  pf?: number;
  /** 1: the board has a lock key, and this is a session; 0: anybody gets a console. Absent where the firmware was built without the lock. */
  lk?: number;
  /** Wrong answers to the lock's challenge since start. */
  wr?: number;
  /** Battery, mV, now: nearly at rest. */
  mv: number;
  // of boards that scan
  /** Battery at the end of the last scan with the receiver on, mV; 0 before the first. */
  ml?: number;
  /** Battery low, so that scans are rarer: 0 no, 1 yes. */
  lb?: number;
  /** What the watch over the radio has seen since start: scans that were dead, restarts of the stack after a long silence. */
  wd?: [number, number];
}

export const REFUSALS: { [code: string]: string } = {
  arg: "an argument is out of range",
  seq: "no such sequence number",
  log: "the board has no usable log file",
  clk: "the clock is not set",
  pag: "its log has no pages for TempIDs",
  tag: "it is not what was asked for last",
  opt: "the firmware was built without this",
  key: "the answer to the challenge is wrong",
};
