import { advertisementTail, decodeAdvertisement, encodeAdvertisement, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { addressKey, blacklisted, isBlacklisted, tempIdKey } from "../../protocols/bluetrace/blacklist.ts";
import { ANDROID, type Candidate, type DutyCycle, nextPeer, pauseAfterScan } from "../../protocols/bluetrace/duty-cycle.ts";
import { encodePacket, type Packet } from "../../protocols/bluetrace/packet.ts";
import { currentTempId, needsTempIds, TEMP_ID_RECORD, tempIdText } from "../../protocols/bluetrace/temp-id.ts";
import { ascii, readU32 } from "../../protocols/bytes.ts";
import { parseUuid } from "../../protocols/uuid128.ts";
import { type EncounterRecord, isKept } from "../bluetrace/records.ts";
import { exchange } from "./bluetrace-central.ts";
import { BlueTracePeripheral } from "./bluetrace-peripheral.ts";
import type { PeripheralSession, PhoneClock, PhoneRadio } from "./phone-ports.ts";

/** Seconds between two looks at the stock of TempIDs, and between two clean-ups. */
const TEMP_ID_CHECK = 540;
const PURGE = 86400;
/** Encounters that are kept, and peers that wait; the oldest go. */
const MOST_RECORDS = 50_000;
const MOST_WAITING = 64;

export interface BlueTracePhoneOptions {
  clock: PhoneClock;
  radio: PhoneRadio;
  randomBytes: (length: number) => Uint8Array;
  /** What it calls itself; says nothing about its owner (BT-12). */
  model?: string;
  /** The authority that makes its TempIDs. */
  org: string;
  /** One of OpenTrace's services, as printed. */
  service?: string;
  /** dBm that it claims to send with. */
  txPower?: number;
  duty?: DutyCycle;
  /** Asked when TempIDs run short or their time to be renewed has come; answers by `useTempIds`, now or later. */
  fetchTempIds?: () => void;
}

interface Waiting extends Candidate {
  txPower: number | undefined;
}

/**
 * A phone with OpenTrace, apart from its radio: central and peripheral in turn, by Android's timers, with its own blacklist. Without a valid TempID it neither advertises,
 * scans nor connects (BT-04). Its health check is not played: nothing here dies of itself.
 */
export class BlueTracePhone {
  readonly records: EncounterRecord[] = [];
  private readonly model: string;
  private readonly duty: DutyCycle;
  private readonly service: Uint8Array;
  private tempIds: Uint8Array = new Uint8Array(0);
  private refreshTime = 0;
  private list = "";
  private queue: Waiting[] = [];
  private busy = false;
  private scanning = false;
  private started = false;
  /** TempID of the address that is on the air. */
  private onAir = "";
  private readonly timers = new Map<string, { cancel(): void }>();

  constructor(private readonly options: BlueTracePhoneOptions) {
    this.model = options.model ?? "device";
    this.duty = options.duty ?? ANDROID;
    const service = parseUuid(options.service ?? SERVICES[0]);
    if (!service) throw new RangeError(`BlueTrace service: a UUID of 128 bits, got ${options.service}`);
    this.service = service;
  }

  /** TempIDs from the server: records of protocols/bluetrace/temp-id.ts; `refreshTime` in Unix seconds. */
  useTempIds(records: Uint8Array, refreshTime: number): void {
    this.tempIds = records;
    this.refreshTime = refreshTime;
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    this.checkTempIds();
    this.purge();
    this.advertise();
    this.scan();
  }

  /** Falls silent. A connection that is under way ends by itself. */
  stop(): void {
    this.started = false;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
    this.queue = [];
    this.endScan();
    this.options.radio.stopAdvertising();
  }

  /** An advertisement that the radio heard. `address`: as printed; whoever isn't a peer, was met a moment ago or comes when no scan runs is passed over. */
  heard(data: Uint8Array, address: string, rssi: number): void {
    if (!this.scanning) return;
    const peer = decodeAdvertisement(data, SERVICE_BYTES);
    if (!peer || this.isKnown(addressKey(address))) return;
    const heardAt = this.options.clock.now * 1000;
    this.queue = this.queue.filter((waiting) => waiting.address !== address).slice(1 - MOST_WAITING);
    this.queue.push({ address, rssi, heardAt, txPower: peer.txPower });
    this.connectNext();
  }

  /** A central has connected to us. Undefined: we have nothing to say, end it. */
  connected(address: string): PeripheralSession | undefined {
    const own = this.packet();
    return own && new BlueTracePeripheral(own, (packet) => this.received(packet, address));
  }

  private get now(): number {
    return Math.floor(this.options.clock.now);
  }

  private tempId(): string | undefined {
    const at = currentTempId(this.tempIds, this.now);
    return at < 0 ? undefined : tempIdText(this.tempIds, at);
  }

  /** Our packet; with an RSSI as a central's. */
  private packet(rssi?: number): Uint8Array | undefined {
    const id = this.tempId();
    return id === undefined ? undefined : ascii(encodePacket(id, this.model, this.options.org, rssi));
  }

  private isKnown(key: string): boolean {
    return isBlacklisted(this.list, key, this.now, this.duty.blacklistSeconds);
  }

  private remember(key: string, at: number): void {
    this.list = blacklisted(this.list, key, at);
  }

  private connectNext(): void {
    const { clock, radio } = this.options;
    if (this.busy || !this.started) return;
    const now = clock.now * 1000;
    this.queue = this.queue.filter(({ heardAt }) => now - heardAt <= this.duty.queueMs);
    const next = nextPeer(this.queue, this.duty.queueMs, now);
    if (next < 0) return;
    const [peer] = this.queue.splice(next, 1);
    const own = this.packet(Math.max(-127, Math.min(20, peer.rssi)));
    // it may have met us meanwhile, as our central
    if (!own || this.isKnown(addressKey(peer.address))) {
      this.connectNext();
      return;
    }
    this.busy = true;
    const since = this.now;
    const seconds = this.duty.connectTimeoutMs / 1000;
    exchange(
      { clock, radio },
      { address: peer.address, seconds, own },
      ({ id }) => !this.isKnown(tempIdKey(id)),
      ({ packet, end }) => {
        if (end !== "unreachable") this.remember(addressKey(peer.address), since);
        if (packet) {
          this.remember(tempIdKey(packet.id), since);
          this.store({
            msg: packet.id,
            org: packet.org,
            modelP: packet.model,
            modelC: this.model,
            rssi: peer.rssi,
            txPower: peer.txPower,
            v: packet.v,
          });
        }
        this.busy = false;
        this.connectNext();
      },
    );
  }

  private received(packet: Packet, address: string): void {
    this.remember(addressKey(address), this.now);
    this.remember(tempIdKey(packet.id), this.now);
    this.store({ msg: packet.id, org: packet.org, modelP: this.model, modelC: packet.model, rssi: packet.rssi!, v: packet.v });
  }

  private store(record: Omit<EncounterRecord, "timestamp">): void {
    if (this.records.length === MOST_RECORDS) this.records.shift();
    this.records.push({ timestamp: this.now, ...record });
  }

  private after(name: string, seconds: number, fn: () => void): void {
    this.timers.get(name)?.cancel();
    this.timers.set(name, this.options.clock.after(seconds, fn));
  }

  private scan(): void {
    const [random] = this.options.randomBytes(1);
    const scanSeconds = this.duty.scanMs / 1000;
    if (this.tempId() !== undefined) {
      this.scanning = true;
      this.options.radio.startScan();
    }
    this.after("scan", scanSeconds, () => {
      this.endScan();
      this.after("scan", pauseAfterScan(this.duty, random) / 1000, () => this.scan());
    });
  }

  private endScan(): void {
    if (!this.scanning) return;
    this.scanning = false;
    this.options.radio.stopScan();
  }

  /** Advertises until its time is up or the TempID changes, whichever is first; each start draws new characters, each TempID a new address (BT-10). */
  private advertise(): void {
    const { radio, randomBytes, txPower } = this.options;
    const id = this.tempId();
    const seconds = this.duty.advertiseMs / 1000;
    const gap = this.duty.advertiseGapMs / 1000;
    if (id === undefined) {
      radio.stopAdvertising();
      this.onAir = "";
      this.after("advertise", gap, () => this.advertise());
      return;
    }
    radio.advertise(encodeAdvertisement(this.service, txPower ?? 0, advertisementTail(randomBytes)), id !== this.onAir);
    this.onAir = id;
    const left = this.tempIdEnd() - this.options.clock.now;
    if (left < seconds) this.after("advertise", left, () => this.advertise());
    else
      this.after("advertise", seconds, () => {
        radio.stopAdvertising();
        this.after("advertise", gap, () => this.advertise());
      });
  }

  /** When another TempID may be the one to use: as the next begins, or a second after the last one of this. Only while there is one. */
  private tempIdEnd(): number {
    let end = readU32(this.tempIds, currentTempId(this.tempIds, this.now) + 4) + 1;
    for (let at = 0; at + TEMP_ID_RECORD <= this.tempIds.length; at += TEMP_ID_RECORD) {
      const start = readU32(this.tempIds, at);
      if (start > this.now && start < end) end = start;
    }
    return end;
  }

  private checkTempIds(): void {
    if (needsTempIds(this.tempIds, this.refreshTime, this.now)) this.options.fetchTempIds?.();
    this.after("check", TEMP_ID_CHECK, () => this.checkTempIds());
  }

  private purge(): void {
    const kept = this.records.filter(({ timestamp }) => isKept(timestamp, this.now));
    this.records.splice(0, this.records.length, ...kept);
    this.after("purge", PURGE, () => this.purge());
  }
}

const SERVICE_BYTES = SERVICES.map((uuid) => parseUuid(uuid)!);
