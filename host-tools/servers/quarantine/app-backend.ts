import { phoneRef } from "../../../protocols/smartbeacon/phone-ref.ts";
import { nodeCrypto } from "../../node-crypto.ts";
import type { BeaconKey } from "../../smartbeacon/key-file.ts";
import type { Upload } from "../../smartbeacon/tuples.ts";
import type { ControlEvent } from "./events.ts";
import { beaconOf, eventOfBatch, eventOfTick, judgeBatch, type MessageVerdict, type PhoneControl } from "./phone-control.ts";
import type { ControlSettings } from "./settings.ts";

/** Setups vanish after so long, s (QB-20). */
export const SETUP_SECONDS = 14 * 86400;

/** What a health authority hands over: no name, no address. */
export interface PhoneSetup {
  /** The phone's DP-3T key of the day of setup, 32 bytes, and the Unix second at which that day begins. */
  pastKey: Uint8Array;
  pastTime: number;
  beacon: BeaconKey;
}

export interface BatchResult {
  /** One for each message, in their order. For the log of the server alone: a sender is told nothing (QB-16). */
  verdicts: MessageVerdict[];
  events: ControlEvent[];
  /** Of the best message (QB-17); undefined where none is ok. */
  score?: number;
}

/**
 * The app backend's rules: which phones are under control, by which beacon, and who was silent for too long. No clock, no network: `at` is the server's time, Unix seconds.
 * It knows neither who nor where (QB-01). Every call first forgets what has outlived its setup.
 */
export class AppBackend {
  private readonly controls = new Map<string, PhoneControl>();

  constructor(
    readonly settings: ControlSettings,
    saved: PhoneControl[] = [],
  ) {
    for (const control of saved) {
      // kept when keys were still taken, it may have one for its name
      const phone = settings.rawKeys ? control.phone : control.ref;
      this.controls.set(phone, { ...control, phone });
    }
  }

  /** A phone gets its beacon. Whatever it had before is replaced, and control begins with the next ENABLE alone (QB-04). */
  setup({ pastKey, pastTime, beacon }: PhoneSetup, at: number): void {
    this.expire(at);
    const ref = hex(phoneRef(nodeCrypto, pastKey, pastTime));
    const phone = this.settings.rawKeys ? hex(pastKey) : ref;
    this.forget(phone);
    this.forget(ref);
    // copies: they are wiped when the entry goes
    const own = { id: Uint8Array.from(beacon.id), sk: Uint8Array.from(beacon.sk), mode: beacon.mode };
    this.controls.set(phone, { phone, ref, beacon: own, setUpAt: at, violated: false, strays: [], faulty: false, counted: new Map() });
  }

  /**
   * Control of a beacon's phones begins. Answers how many it controls now; 0: there is no such beacon yet, and nothing has changed, so ask again (QB-04).
   * Asking again where control is on already changes nothing either: a repetition must not excuse a silence.
   */
  enable(idBeacon: string, at: number): number {
    this.expire(at);
    const controlled = this.ofBeacon(idBeacon);
    for (const control of controlled) control.enabledAt ??= at;
    return controlled.length;
  }

  /** The end of a quarantine, or a beacon that was taken down: its phones are forgotten. Answers how many. */
  removeBeacon(idBeacon: string): number {
    const gone = this.ofBeacon(idBeacon);
    for (const { phone } of gone) this.forget(phone);
    return gone.length;
  }

  /** One phone of a home, by its key or phone_ref. */
  removePhone(phone: string): boolean {
    const control = this.find(phone);
    return control !== undefined && this.forget(control.phone);
  }

  /** Messages that a phone forwarded. Foreign, forged and late ones do no harm beside a good one. */
  batch({ phone, messages }: Upload, at: number): BatchResult {
    this.expire(at);
    const control = this.find(phone);
    if (!control || control.enabledAt === undefined) {
      const verdict = control ? "not-enabled" : "unknown-phone";
      return { verdicts: messages.map(() => ({ verdict })), events: [] };
    }
    const verdicts = judgeBatch(control, messages, at, this.settings);
    const event = eventOfBatch(control, at, this.settings);
    const scores = verdicts.flatMap(({ score }) => score ?? []);
    return { verdicts, events: event ? [event] : [], ...(scores.length > 0 && { score: Math.max(...scores) }) };
  }

  /** Looks at each phone under control, in the order of their names; call it every `controlSeconds`. */
  tick(at: number): ControlEvent[] {
    this.expire(at);
    const ordered = [...this.controls.values()].sort((a, b) => (a.phone < b.phone ? -1 : 1));
    return ordered.flatMap((control) => eventOfTick(control, at, this.settings) ?? []);
  }

  /** All that is kept, for `saveControls`; not a copy. */
  get state(): readonly PhoneControl[] {
    return [...this.controls.values()];
  }

  private expire(at: number): void {
    for (const { phone, setUpAt } of this.controls.values()) if (at >= setUpAt + SETUP_SECONDS) this.forget(phone);
  }

  private forget(phone: string): boolean {
    this.controls.get(phone)?.beacon.sk.fill(0);
    return this.controls.delete(phone);
  }

  private find(phone: string): PhoneControl | undefined {
    return this.controls.get(phone) ?? [...this.controls.values()].find(({ ref }) => ref === phone);
  }

  private ofBeacon(idBeacon: string): PhoneControl[] {
    return [...this.controls.values()].filter((control) => beaconOf(control) === idBeacon);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
