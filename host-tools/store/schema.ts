import type { Generated } from "kysely";

// The tables as Kysely's types; the SQL and the meaning of the columns stand in migrations/.

export interface BoardsTable {
  id: string;
  name: string | null;
  type: string | null;
  role: string | null;
  firmware: string | null;
  added_unix: number;
  contact_unix: number;
}

export interface LogsTable {
  id: Generated<number>;
  log_id: string;
  board_id: string;
  next_seq: number;
}

export interface RecordsTable {
  log: number;
  seq: number;
  era: number;
  base_tick: number;
  kind: string;
  slot: Uint8Array;
  committed_unix: number;
}

export interface DamagedTable {
  log: number;
  seq: number;
  reason: string;
  committed_unix: number;
}

export interface ImportsTable {
  id: Generated<number>;
  file: string;
  kind: string;
  imported_unix: number;
}

/** Columns that tell where a row came from: a board's log, or a line of a file. */
interface Origin {
  id: Generated<number>;
  log: number | null;
  seq: number | null;
  era: number | null;
  import_id: number | null;
  row_key: Uint8Array | null;
  board_id: string | null;
  address: string | null;
  address_type: string | null;
  /** `lat;lon;altitude;speed` as the file had them. */
  position: string | null;
}

export interface EncountersTable extends Origin {
  first_tick: number | null;
  last_tick: number | null;
  first_unix: number | null;
  last_unix: number | null;
  /** The identifier, of whatever protocol. */
  rpi: Uint8Array;
  /** Of GAEN, and of it alone. */
  aem: Uint8Array | null;
  count: number | null;
  max_rssi: number;
  mean_rssi: number | null;
  /** `gaen`, or a name of PROTOCOLS in boards/capabilities.ts. */
  protocol: Generated<string>;
  /** dBm, as the packet told it; of GAEN it is encrypted in the metadata. */
  tx_power: number | null;
}

export interface SightingsTable extends Origin {
  tick: number | null;
  unix: number | null;
  rpi: Uint8Array;
  aem: Uint8Array | null;
  rssi: number;
}

export interface ClocksTable {
  log: number;
  seq: number;
  era: number;
  tick: number;
  unix_ms: number;
  step_ms: number | null;
  round_trip_ms: number;
  why: number;
  left_out: Generated<number>;
}

export interface ClockSyncsTable {
  id: Generated<number>;
  log: number;
  host_ms: number;
  board_ms: number | null;
  offset_ms: number | null;
  step_ms: number | null;
  round_trip_ms: number;
  rotations: number | null;
  drift_ppm: number | null;
  era: number | null;
  tick: number | null;
  tick_ms: number | null;
  left_out: Generated<number>;
}

export interface TeksTable {
  tek: Uint8Array;
  rolling_start: number;
  rolling_period: number;
  board_id: string | null;
  import_id: number | null;
  added_unix: number;
}

export interface KeysOfOthersTable {
  protocol: string;
  key: Uint8Array;
  /** Days since 1970. */
  start_day: number;
  last_day: number | null;
  ended: number;
  board_id: string | null;
  added_unix: number;
}

export interface MessagesTable {
  id: Generated<number>;
  board_id: string;
  received_unix: number;
  type: number;
  bytes: Uint8Array;
}

export interface ContactKeysTable {
  board_id: string;
  /** Days since 1970. */
  day: number;
  daily_key: Uint8Array;
  meta_key: Uint8Array;
}

export interface ContactsTable {
  id: Generated<number>;
  board_id: string;
  received_unix: number;
  day: number;
  rolling_id: Uint8Array;
  meta: Uint8Array;
  way: "scanned" | "answer";
}

export interface MarksTable {
  id: Generated<number>;
  kind: "safe" | "mask" | "ward" | "vehicle" | "place";
  place: string | null;
  board_id: string;
  protocol: string | null;
  identifier: Uint8Array | null;
  from_unix: number | null;
  to_unix: number | null;
  note: string | null;
  made_unix: number;
}

export interface MeetingsTable {
  log: number;
  seq: number;
  temp_id: Uint8Array | null;
  central: number;
  authority: string | null;
}

export interface ImportedMeetingsTable {
  encounter: number;
  temp_id: Uint8Array;
  authority: string;
  model_p: string;
  model_c: string;
  version: number;
}

export interface Tables {
  boards: BoardsTable;
  logs: LogsTable;
  records: RecordsTable;
  damaged: DamagedTable;
  imports: ImportsTable;
  encounters: EncountersTable;
  sightings: SightingsTable;
  clocks: ClocksTable;
  clock_syncs: ClockSyncsTable;
  teks: TeksTable;
  keys_of_others: KeysOfOthersTable;
  messages: MessagesTable;
  contact_keys: ContactKeysTable;
  contacts: ContactsTable;
  marks: MarksTable;
  meetings: MeetingsTable;
  imported_meetings: ImportedMeetingsTable;
}
