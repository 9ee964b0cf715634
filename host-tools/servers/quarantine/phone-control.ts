import { createHash } from "node:crypto";
import { CLOCK_UNSET } from "../../../protocols/smartbeacon/compact-token.ts";
import { timeliness } from "../../../protocols/smartbeacon/open-message.ts";
import type { BeaconKey } from "../../smartbeacon/key-file.ts";
import { openSealed, type SealedMessage, score, type Verdict } from "../../smartbeacon/verification.ts";
import type { ControlEvent } from "./events.ts";
import type { ControlSettings } from "./settings.ts";

// One phone under control: what is kept of it (QB-01), and what a message and a tick do to that. Source: docs/protocols.md, requirements QB-17 and QB-18.

/** A message that the beacon made, out of time: what it says, and how far that is behind the server, s. */
interface Stray {
  unix: number;
  offset: number;
}

export interface PhoneControl {
  /** By what the phone is known, hexadecimal digits; and its phone_ref, which may be the same. */
  phone: string;
  ref: string;
  beacon: BeaconKey;
  /** Unix seconds. Control is on from `enabledAt`. */
  setUpAt: number;
  enabledAt?: number;
  /** Newest good message, by the basis of the settings. */
  newest?: number;
  /** The silence is too long, and was told. */
  violated: boolean;
  /** Tick that told it last: one event a tick. */
  toldAt?: number;
  /** Newest messages out of time since the last good one; told already? */
  strays: Stray[];
  faulty: boolean;
  /** Good messages that may come again in time: digest and the time in it. */
  counted: Map<string, number>;
}

export interface MessageVerdict {
  verdict: Verdict | "unknown-phone" | "not-enabled" | "duplicate";
  /** Unix seconds that the message says; of one that the beacon made. */
  ts?: number;
  /** Of one that is ok. */
  score?: number;
  /** Bits of a compact token that are set: docs/protocols.md. */
  status?: number;
}

/** More good messages in seven minutes than any beacon makes. Without the oldest of them it would count once more, which changes nothing: newer ones are there. */
const MOST_COUNTED = 64;
const DIGEST_DIGITS = 32;

/** Judges the messages of one batch in their order; keeps what counts of them. */
export function judgeBatch(control: PhoneControl, messages: SealedMessage[], at: number, settings: ControlSettings): MessageVerdict[] {
  const strays: Stray[] = [];
  const verdicts = messages.map((message) => judgeMessage(control, message, at, settings, strays));
  if (verdicts.some(({ verdict }) => verdict === "ok")) {
    control.strays = [];
    control.faulty = false;
  } else if (strays.length > 0) {
    // The newest of a batch: the others waited for it in the phone, so their offsets say how long, not how wrong the clock is.
    keepStray(
      control,
      strays.reduce((newest, stray) => (stray.unix > newest.unix ? stray : newest)),
      settings.faultMessages,
    );
  }
  return verdicts;
}

function judgeMessage(control: PhoneControl, message: SealedMessage, at: number, settings: ControlSettings, strays: Stray[]): MessageVerdict {
  const opened = openSealed(control.beacon, message);
  if (typeof opened === "string") return { verdict: opened };
  const { unix, status } = opened;
  const read = status === 0 ? { ts: unix } : { ts: unix, status };
  // without a clock its time is that since its start (QB-14)
  const timely = status & CLOCK_UNSET ? "stale" : timeliness(unix, at, settings.futureSeconds, settings.staleSeconds);
  if (timely !== "ok") {
    strays.push({ unix, offset: at - unix });
    return { verdict: timely, ...read };
  }
  const digest = createHash("sha256").update(Uint8Array.of(message.type)).update(message.bytes).digest("hex").slice(0, DIGEST_DIGITS);
  if (control.counted.has(digest)) return { verdict: "duplicate", ...read };
  count(control.counted, digest, unix, at - settings.staleSeconds);
  const moment = settings.basis === "timestamp" ? unix : at;
  control.newest = Math.max(control.newest ?? 0, moment);
  return { verdict: "ok", ...read, score: score(at - unix, settings.punctualSeconds, settings.staleSeconds) };
}

/** Remembers a good message as long as it could come again in time. */
function count(counted: Map<string, number>, digest: string, unix: number, staleBefore: number): void {
  for (const [known, time] of counted) if (time < staleBefore) counted.delete(known);
  counted.set(digest, unix);
  if (counted.size > MOST_COUNTED) {
    const [oldest] = [...counted].reduce((least, one) => (one[1] < least[1] ? one : least));
    counted.delete(oldest);
  }
}

function keepStray(control: PhoneControl, stray: Stray, most: number): void {
  const last = control.strays.at(-1);
  // the same message once more says nothing; an older one is another recording, or another clock
  if (last && stray.unix === last.unix) return;
  if (last && stray.unix < last.unix) control.strays = [];
  control.strays = [...control.strays, stray].slice(-most);
}

/** What a batch changed: the end of a violation, or a clock that is wrong. Never both. */
export function eventOfBatch(control: PhoneControl, at: number, settings: ControlSettings): ControlEvent | undefined {
  const id_beacon = beaconOf(control);
  if (control.violated && silence(control, at) <= settings.limitSeconds) {
    control.violated = false;
    return { at, kind: "RECOVERED", id_beacon };
  }
  if (control.faulty || control.strays.length < settings.faultMessages) return undefined;
  const offsets = control.strays.map(({ offset }) => offset);
  if (Math.max(...offsets) - Math.min(...offsets) > settings.faultSpreadSeconds) return undefined;
  control.faulty = true;
  return { at, kind: "BEACON_FAULT", id_beacon, offset_s: offsets.at(-1)! };
}

/** A violation, told at each tick while it lasts, and once for each. */
export function eventOfTick(control: PhoneControl, at: number, settings: ControlSettings): ControlEvent | undefined {
  if (control.enabledAt === undefined) return undefined;
  const silent = silence(control, at);
  if (silent <= settings.limitSeconds || control.toldAt === at) return undefined;
  control.violated = true;
  control.toldAt = at;
  return { at, kind: "VIOLATION", id_beacon: beaconOf(control), silent_s: silent };
}

/** Seconds since a good message, or since control began. Of a phone that is enabled. */
function silence(control: PhoneControl, at: number): number {
  return at - Math.max(control.enabledAt!, control.newest ?? 0);
}

export function beaconOf(control: PhoneControl): string {
  return Buffer.from(control.beacon.id).toString("hex");
}
