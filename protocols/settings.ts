/**
 * Settings of a board, in the order in which they stand in a settings record: signed 16-bit little-endian each.
 * The board knows only the index; names, units and ranges are the hub's, so a wrong value is refused before it is sent.
 */
export interface SettingRule {
  /** Index in the settings array of the board. */
  index: number;
  unit: string;
  initial: number;
  minimum: number;
  maximum: number;
  /** Only multiples of this are legal. */
  step: number;
  what: string;
}

export const CYCLE_TIME = 0;
export const SCAN_TIME = 1;
export const ADVERTISING_INTERVAL = 2;
export const TX_POWER = 3;
export const MINIMUM_DURATION = 4;
export const RSSI_FLOOR = 5;
export const RAW_LOG = 6;
export const RETENTION = 7;
export const RECORD_FORM = 8;
export const PRIVATE_ADDRESS = 9;
export const LOW_BATTERY = 10;
export const TRANSMIT = 11;
export const MESSAGE_PERIOD = 12;
export const SETTING_COUNT = 13;

/** Defaults: the peer tool's cycle of 300 s and scan of 2 s (MH, section 4), 250 ms advertising (GAEN-08), 14 days (GAEN-11). */
export const SETTING_RULES: { [name: string]: SettingRule } = {
  cycleTime: { index: CYCLE_TIME, unit: "s", initial: 300, minimum: 4, maximum: 3600, step: 1, what: "from one scan to the next" },
  scanTime: { index: SCAN_TIME, unit: "s", initial: 2, minimum: 2, maximum: 3600, step: 2, what: "length of a scan; GAEN recommends 4" },
  advertisingInterval: {
    index: ADVERTISING_INTERVAL,
    unit: "ms",
    initial: 250,
    minimum: 100,
    maximum: 10240,
    step: 1,
    what: "from one advertisement to the next",
  },
  txPower: { index: TX_POWER, unit: "dBm", initial: 0, minimum: -40, maximum: 8, step: 1, what: "transmit power" },
  minimumDuration: {
    index: MINIMUM_DURATION,
    unit: "s",
    initial: 0,
    minimum: 0,
    maximum: 3600,
    step: 1,
    what: "shorter encounters are not logged",
  },
  rssiFloor: { index: RSSI_FLOOR, unit: "dBm", initial: -127, minimum: -127, maximum: 0, step: 1, what: "weaker sightings are ignored" },
  rawLog: {
    index: RAW_LOG,
    unit: "0|1",
    initial: 0,
    minimum: 0,
    maximum: 1,
    step: 1,
    what: "1 logs every sighting with its address (research only)",
  },
  retention: { index: RETENTION, unit: "days", initial: 14, minimum: 1, maximum: 21, step: 1, what: "age at which records and keys are deleted" },
  recordForm: {
    index: RECORD_FORM,
    unit: "0|1|2",
    initial: 2,
    minimum: 0,
    maximum: 2,
    step: 1,
    what: "encounters in full (0), dense (1), or dense as soon as unpulled ones would have to go (2)",
  },
  privateAddress: {
    index: PRIVATE_ADDRESS,
    unit: "0|1",
    initial: 0,
    minimum: 0,
    maximum: 1,
    step: 1,
    what: "1: non-resolvable private addresses where the radio stack gives them, else static random ones",
  },
  lowBattery: {
    index: LOW_BATTERY,
    unit: "mV",
    initial: 2200,
    minimum: 0,
    maximum: 3600,
    step: 1,
    what: "below it, while scanning, scans get four times as rare, every 15 minutes at most; 0: never",
  },
  // zero is what a log of before these settings has for them
  transmit: {
    index: TRANSMIT,
    unit: "",
    initial: 0,
    minimum: 0,
    maximum: 255,
    step: 1,
    what: "sum of the protocols to send: 1 GAEN, 2 v1.0 (historical), 4 DP-3T, 8 DP-3T unlinkable, 64 OpenCovidTrace, 128 none; 0: the first built in, but v1.0",
  },
  messagePeriod: {
    index: MESSAGE_PERIOD,
    unit: "s",
    initial: 0,
    minimum: 0,
    maximum: 3600,
    step: 1,
    what: "from one message of a SmartBeacon to the next, at least 10; 0: 60",
  },
};

/** Why `value` is not legal for the setting called `name`, or `undefined` where it is. */
export function settingProblem(name: string, value: number): string | undefined {
  const rule = SETTING_RULES[name];
  if (!rule) return "no setting is called " + name + "; known: " + Object.keys(SETTING_RULES).join(", ");
  if (!(value >= rule.minimum && value <= rule.maximum) || value % rule.step !== 0) {
    const steps = rule.step === 1 ? "whole number" : "multiple of " + rule.step;
    return name + ": " + steps + " from " + rule.minimum + " to " + rule.maximum + " " + rule.unit + ", got " + value;
  }
  // each message is a change of what is on the air, and fragments need their time
  if (rule.index === MESSAGE_PERIOD && value > 0 && value < 10) return name + ": 0, or 10 to " + rule.maximum + " s, got " + value;
  return undefined;
}
