// What a board wrote, as log-decoder.ts gives it.

/** What one `T.r` answered: `slots` is whole records, one behind the other; `era` and `baseTick` hold for the first of them. Sequence numbers count words. */
export interface PulledBlock {
  /** Sequence number of the first record. */
  seq: number;
  era: number;
  baseTick: number;
  slots: Uint8Array;
  /** Where the board said to go on; `seq` plus the number of words where it said nothing. */
  nextSeq?: number;
}

/** Where a record stands: its sequence number for ever, and what ticks near it count from. */
export interface Place {
  seq: number;
  era: number;
  baseTick: number;
}

/** Ticks are seconds since the era began. */
interface Merged extends Place {
  firstTick: number;
  lastTick: number;
  /** Sightings merged; 127 means 127 or more. */
  count: number;
  maxRssi: number;
  /** dBm; at most 31 below the maximum, where it may have been lower still. */
  meanRssi: number;
}
/** Of GAEN. */
export interface EncounterRecord extends Merged {
  kind: "encounter";
  rpi: Uint8Array;
  aem: Uint8Array;
}
/** Of another protocol. */
export interface OthersRecord extends Merged {
  kind: "others";
  /** Its name, of PROTOCOLS in boards/capabilities.ts. */
  protocol: string;
  /** 16 bytes; of DP-3T's unlinkable design the first 16 of the observation's hash. */
  identifier: Uint8Array;
  /** dBm; undefined where the packet tells none. */
  txPower: number | undefined;
}
/** An encounter of which 40 bits of the identifier are kept. Its true times lie inside the ones here. */
interface Dense extends Place {
  /** At most 7 s earlier, and at most 7 s later, than it was; multiples of 8 s from the base tick on. */
  firstTick: number;
  lastTick: number;
  maxRssi: number;
  /** dBm; at most 15 below the maximum, where it may have been lower still. */
  meanRssi: number;
}
/** Of GAEN. */
export interface DenseRecord extends Dense {
  kind: "dense";
  /** The first 5 of the RPI's 16 bytes. */
  prefix: Uint8Array;
  /** The second of the AEM's 4 bytes, encrypted: the transmit power. */
  power: Uint8Array;
}
/** Of another protocol. */
export interface OthersDenseRecord extends Dense {
  kind: "others-dense";
  protocol: string;
  /** The first 5 of the identifier's 16 bytes. */
  prefix: Uint8Array;
  /** dBm, even, -40 to 20: rounded up by at most 1 and kept within; undefined where the packet tells none. */
  txPower: number | undefined;
}
/** First of a meeting's three records: it counts when the other two follow. BlueTrace. */
export interface MeetingRecord extends Place {
  kind: "meeting";
  tick: number;
  /** The first 16 of the TempID's 61 bytes. */
  begin: Uint8Array;
  /** As the central received the peripheral. */
  rssi: number;
  /** dBm that the peripheral's advertisement told; undefined where we were the peripheral. */
  txPower: number | undefined;
  /** Did this board connect, or its peer? */
  central: boolean;
}
/** Second or third of a meeting's records. */
export interface MeetingPartRecord extends Place {
  kind: "meeting-part";
  /** 1 or 2. */
  part: number;
  /** 23 bytes of the TempID; of the last the 23rd is none. */
  bytes: Uint8Array;
}
/** A TempID that this board has met before, within a quarter of an hour. */
export interface MeetingAgainRecord extends Place {
  kind: "meeting-again";
  /** At most 7 s earlier than it was. */
  tick: number;
  /** The first 5 of the TempID's bytes. */
  begin: Uint8Array;
  rssi: number;
  /** Rounded as in a dense record. */
  txPower: number | undefined;
  central: boolean;
}
export interface SightingRecord extends Place {
  kind: "sighting";
  rpi: Uint8Array;
  /** `aa:bb:cc:dd:ee:ff`, most significant byte first. */
  address: string;
  addressType: "random" | "public";
  rssi: number;
  tick: number;
}
export interface ClockRecord extends Place {
  kind: "clock";
  /** The era and tick that `unixMs` belongs to. They are the record's own: a copy keeps them. */
  clockEra: number;
  tick: number;
  /** Undefined while the board's clock was not set. */
  unixMs: number | undefined;
  /** By how many ms the clock was put forward; undefined when it had not been set, or by more than the record holds. */
  stepMs: number | undefined;
  roundTripMs: number;
  /** 1 the hub set it, 2 kept over a restart of the firmware, 3 repeated, 4 the hub acknowledged, 7 battery low, 8 battery recovered; see log-format.ts. */
  why: number;
  /** Sequence number before which the hub had everything. */
  acknowledged: number;
}
export interface SettingsRecord extends Place {
  kind: "settings";
  /** In the order of protocols/settings.ts. */
  values: number[];
}
export interface MarkRecord extends Place {
  kind: "mark";
  /** Millivolt, undefined when the board could not tell. */
  batteryMv: number | undefined;
  /** The firmware had just started. */
  started: boolean;
  firmware: string;
}
/** A record that was deleted, or an own key, which a board does not show. */
export interface DeletedRecord extends Place {
  kind: "deleted";
}
/** Not what the board wanted to write: a torn write, a worn cell, or a kind or a protocol this version does not know. */
export interface DamagedRecord extends Place {
  kind: "damaged";
  reason: string;
}
/** An erased word that was never written. */
export interface BlankRecord extends Place {
  kind: "blank";
}
export type LogRecord =
  | EncounterRecord
  | OthersRecord
  | DenseRecord
  | OthersDenseRecord
  | MeetingRecord
  | MeetingPartRecord
  | MeetingAgainRecord
  | SightingRecord
  | ClockRecord
  | SettingsRecord
  | MarkRecord
  | DeletedRecord
  | DamagedRecord
  | BlankRecord;

/** An own key of GAEN as `T.k` hands it over: a 26-byte payload. */
export interface OwnKey {
  tek: Uint8Array;
  rollingStart: number;
  rollingPeriod: number;
}
