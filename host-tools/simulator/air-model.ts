/**
 * How strong a packet arrives: log-distance path loss, shadowing per pair of radios, fading per packet. The figures are defaults; `docs/virtual-air.md`
 * says where each comes from and what is left out.
 */
export interface AirModel {
  /** Loss over the first metre between ideal antennas, dB. Free space at 2.44 GHz: 20 log10(4 pi f / c) = 40.2. */
  referenceLossDb: number;
  /** Path loss exponent beyond. ITU-R P.1238, "power loss coefficient" N = 10 n: office at 2.4 GHz N = 30; N = 20 in the open. */
  exponent: number;
  /** Gain of a board's antenna in its case, dB; both ends count. Chosen so that 0 dBm arrives as -59 dBm at 1 m, the value Espruino's iBeacon page gives for a Puck.js. */
  antennaGainDb: number;
  /** Standard deviation of a pair's lasting deviation from the mean, dB: furniture, bodies, how boards hang. Cut off at three of them. */
  shadowingDb: number;
  /** Rician K of the fading from packet to packet and channel to channel, dB. 6 is a line of sight with echoes; -Infinity is no line of sight at all (Rayleigh). */
  ricianKDb: number;
  /** Weakest packet that is received, dBm at 1 Mbit/s. nRF52832 product specification, radio electrical specification: -96 (nRF52840: -95). */
  sensitivityDbm: number;
  /** As much stronger must a packet be than one that overlaps it, dB. nRF52832 product specification, C/I co-channel, 1 Mbit/s Bluetooth LE: 9. */
  captureDb: number;
  /** Part of the packets lost to everything that is not in the simulation (Wi-Fi above all), 0 to 1. */
  lossProbability: number;
}

export const DEFAULT_AIR: AirModel = {
  referenceLossDb: 40.2,
  exponent: 3,
  antennaGainDb: -9.4,
  shadowingDb: 4,
  ricianKDb: 6,
  sensitivityDbm: -96,
  captureDb: 9,
  lossProbability: 0.02,
};

/** Coded PHY at 125 kbit/s is received when so much weaker, dB. nRF52840 product specification: -103 against -95 dBm. */
export const CODED_GAIN_DB = 8;

/** A well mixed 32-bit number from two: the finaliser of MurmurHash3 over their combination. Every random quantity of the air is one of these, so it depends on what it belongs to and not on when it is asked for. */
export function hash32(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h ^ Math.imul(b ^ 0x27d4eb2f, 0xc2b2ae35), 0x85ebca6b);
  h ^= h >>> 16;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 15)) >>> 0;
}

/** FNV-1a over the characters of a name. */
export function hashName(name: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) h = Math.imul(h ^ name.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

const NORMAL_STEPS = 64;
/** 4,096 equally likely values of a quantity: a random number's top bits choose one. */
const TABLE_SIZE = NORMAL_STEPS * NORMAL_STEPS;

/** 4,096 equally likely fadings, dB around a mean power of 0 dB: a steady wave and a normally distributed one in each of two phases (Rice). */
export function fadingTable(ricianKDb: number): Float64Array {
  const k = 10 ** (ricianKDb / 10);
  const steady = Math.sqrt(k / (k + 1));
  const spread = Math.sqrt(1 / (2 * (k + 1)));
  const table = new Float64Array(TABLE_SIZE);
  const steps = normalQuantiles(NORMAL_STEPS);
  for (let i = 0; i < NORMAL_STEPS; i++) {
    for (let j = 0; j < NORMAL_STEPS; j++) {
      const x = steady + spread * steps[i]!;
      const y = spread * steps[j]!;
      table[i * NORMAL_STEPS + j] = 10 * Math.log10(x * x + y * y);
    }
  }
  return table;
}

/** 4,096 equally likely values of a normal distribution with this standard deviation, cut off at three of them. */
export function normalTable(deviation: number): Float64Array {
  return normalQuantiles(TABLE_SIZE).map((quantile) => deviation * Math.max(-3, Math.min(3, quantile)));
}

/** Index into a table of 4,096 from a 32-bit random number. */
export function tableIndex(random: number): number {
  return random >>> 20;
}

const quantiles = new Map<number, Float64Array>();

/** `count` equally likely values of the standard normal distribution, ascending. Kept, since each new air asks for the same. */
function normalQuantiles(count: number): Float64Array {
  const known = quantiles.get(count) ?? Float64Array.from({ length: count }, (_, i) => normalQuantile((i + 0.5) / count));
  quantiles.set(count, known);
  return known;
}

/** Inverse of the normal distribution's cumulative function, by bisection; it is only used to fill tables. */
function normalQuantile(p: number): number {
  let low = -8;
  let high = 8;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalCumulative(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17 (error below 7.5e-8). */
function normalCumulative(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
}
