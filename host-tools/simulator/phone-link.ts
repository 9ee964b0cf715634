import type { AirLink, Role } from "./gatt/air-link.ts";
import { ATT, le16, pdu, readLe16, TYPE } from "./gatt/att.ts";
import { AttBearer } from "./gatt/att-bearer.ts";
import { propertiesOf } from "./gatt/gatt-table.ts";
import type { VirtualPhone } from "./phone.ts";
import { uuidText } from "./radio-packets.ts";

/** A characteristic as discovery has found it. */
export interface FoundCharacteristic {
  service: string;
  uuid: string;
  handle: number;
  /** Of its client configuration; 0 if it has none. */
  configuration: number;
  properties: { [property: string]: boolean };
}

/** The peer has answered with an error. Codes: Bluetooth Core 5.4, Vol 3, Part F, 3.4.1.1. */
export class AttError extends Error {
  constructor(
    readonly code: number,
    readonly handle: number,
  ) {
    super(`attribute ${handle}: refused with ATT error 0x${code.toString(16).padStart(2, "0")}`);
  }
}

/** The link has ended before the answer came. */
export class LinkLost extends Error {
  /** HCI reason. */
  constructor(readonly reason: number) {
    super(`the link has ended, reason 0x${reason.toString(16).padStart(2, "0")}`);
  }
}

const LAST_HANDLE = 0xffff;

/** A phone's end of a link. Everything takes the connection events that it takes; one request at a time. */
export class PhoneLink {
  connected = true;
  /** HCI reason, once it has ended. */
  reason: number | undefined;
  onDisconnect: ((reason: number) => void) | undefined;
  readonly bearer: AttBearer;
  private readonly subscribers = new Map<number, (value: Uint8Array) => void>();
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(
    private readonly phone: VirtualPhone,
    readonly air: AirLink,
    readonly role: Role,
    /** Address of the other end. */
    readonly peer: string,
  ) {
    const { hostile } = phone;
    this.bearer = new AttBearer({
      clock: phone.air.clock,
      ownMtu: phone.mtu,
      server: {
        table: () => phone.table,
        encrypted: () => air.encrypted,
        written: (handle, value) => phone.written(handle, value, this),
        read: (attribute) => phone.valueOf(attribute, this),
      },
      send: (bytes, sent) => air.send(role, bytes, sent),
      notified: (handle, value) => this.subscribers.get(handle)?.(value),
      timedOut: () => air.disconnect(role),
      answerDelay: () => hostile.answerSeconds ?? 0,
    });
  }

  /** Longest PDU, bytes. */
  get mtu(): number {
    return this.bearer.mtu;
  }

  received(bytes: Uint8Array): void {
    if (!this.phone.hostile.mute) this.bearer.receive(bytes);
  }

  ended(reason: number): void {
    this.connected = false;
    this.reason = reason;
    this.bearer.close();
    for (const reject of [...this.waiting]) reject(new LinkLost(reason));
    this.onDisconnect?.(reason);
  }

  /** Asks for longer PDUs; answers what was agreed on. */
  async exchangeMtu(): Promise<number> {
    await this.until((done) => this.bearer.exchangeMtu(() => done(undefined)));
    return this.mtu;
  }

  /** All characteristics of the peer. */
  async discover(): Promise<FoundCharacteristic[]> {
    const found: FoundCharacteristic[] = [];
    const services = await this.walk(1, LAST_HANDLE, 2, (start, end) => pdu(ATT.READ_BY_GROUP_REQUEST, le16(start), le16(end), TYPE.PRIMARY_SERVICE));
    for (const service of services) {
      const end = readLe16(service, 2);
      const lines = await this.walk(readLe16(service, 0), end, 0, (from, to) =>
        pdu(ATT.READ_BY_TYPE_REQUEST, le16(from), le16(to), TYPE.CHARACTERISTIC),
      );
      for (const [i, line] of lines.entries()) {
        const next = lines[i + 1];
        const handle = readLe16(line, 3);
        const properties = propertiesOf(line[2]!);
        const until = next ? readLe16(next, 0) - 1 : end;
        const configuration = properties.notify || properties.indicate ? await this.configurationIn(handle + 1, until) : 0;
        found.push({ service: uuidText(service.slice(4)), uuid: uuidText(line.slice(5)), handle, configuration, properties });
      }
    }
    return found;
  }

  /** A value from `offset` on: as much as one answer holds. */
  async read(handle: number, offset = 0): Promise<Uint8Array> {
    const request = offset === 0 ? pdu(ATT.READ_REQUEST, le16(handle)) : pdu(ATT.READ_BLOB_REQUEST, le16(handle), le16(offset));
    return (await this.ask(request, handle)).slice(1);
  }

  /** A whole value, in as many answers as it takes. */
  async readLong(handle: number): Promise<Uint8Array> {
    let value = await this.read(handle);
    for (let got = value.length; got === this.mtu - 1; ) {
      const more = await this.read(handle, value.length);
      value = Uint8Array.from([...value, ...more]);
      got = more.length;
    }
    return value;
  }

  /** With `command` nobody answers, and nobody says what became of it. Lengths are not checked: that is the board's affair. */
  async write(handle: number, bytes: Uint8Array, command = false): Promise<void> {
    if (!command) await this.ask(pdu(ATT.WRITE_REQUEST, le16(handle), bytes), handle);
    else await this.until((done) => this.bearer.command(pdu(ATT.WRITE_COMMAND, le16(handle), bytes), () => done(undefined)));
  }

  /** In pieces, which count when all are there (prepared writes). */
  async writeLong(handle: number, bytes: Uint8Array): Promise<void> {
    const room = this.mtu - 5;
    for (let at = 0; at < bytes.length; at += room)
      await this.ask(pdu(ATT.PREPARE_WRITE_REQUEST, le16(handle), le16(at), bytes.subarray(at, at + room)), handle);
    await this.ask(pdu(ATT.EXECUTE_WRITE_REQUEST, 1), handle);
  }

  async subscribe(characteristic: FoundCharacteristic, heard: (value: Uint8Array) => void): Promise<void> {
    this.subscribers.set(characteristic.handle, heard);
    await this.write(characteristic.configuration, Uint8Array.of(characteristic.properties.notify ? 1 : 2, 0));
  }

  /** Sends a value of the phone's own to whoever has subscribed. */
  notify(handle: number, value: Uint8Array): void {
    this.bearer.notify(handle, value);
  }

  /** Just Works; false: the peer does not pair. */
  pair(): Promise<boolean> {
    return this.until((done) => this.air.pair(this.role, done));
  }

  /** Any bytes at all. */
  raw(bytes: Uint8Array): void {
    this.air.send(this.role, bytes);
  }

  disconnect(): void {
    if (!this.phone.hostile.staysConnected) this.air.disconnect(this.role);
  }

  private async configurationIn(start: number, end: number): Promise<number> {
    if (start > end) return 0;
    for (const line of await this.walk(start, end, 0, (from, to) => pdu(ATT.FIND_INFORMATION_REQUEST, le16(from), le16(to))))
      if (line.length === 4 && line[2] === TYPE.CONFIGURATION[0] && line[3] === TYPE.CONFIGURATION[1]) return readLe16(line, 0);
    return 0;
  }

  /** Asks until nothing more is found; `endAt` is where an entry names its last handle. */
  private async walk(start: number, end: number, endAt: number, request: (start: number, end: number) => Uint8Array): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (let from = start; from <= end; ) {
      let answer: Uint8Array;
      try {
        answer = await this.ask(request(from, end), from);
      } catch (error) {
        if (error instanceof AttError) break;
        throw error;
      }
      const length = answer[0] === ATT.FIND_INFORMATION_RESPONSE ? (answer[1] === 1 ? 4 : 18) : answer[1]!;
      for (let at = 2; at + length <= answer.length; at += length) found.push(answer.slice(at, at + length));
      from = readLe16(found.at(-1)!, endAt) + 1;
    }
    return found;
  }

  private async ask(request: Uint8Array, handle: number): Promise<Uint8Array> {
    const answer = await this.until<Uint8Array>((done) => {
      if (!this.bearer.request(request, done)) throw new Error(`attribute ${handle}: another request has not been answered yet`);
    });
    if (answer[0] === ATT.ERROR) throw new AttError(answer[4]!, readLe16(answer, 2));
    return answer;
  }

  /** What is asked for, or the end of the link. */
  private until<T>(start: (done: (value: T) => void) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!this.connected) {
        reject(new LinkLost(this.reason ?? 0));
        return;
      }
      this.waiting.add(reject);
      const done = (value: T) => {
        this.waiting.delete(reject);
        resolve(value);
      };
      try {
        start(done);
      } catch (error) {
        this.waiting.delete(reject);
        reject(error);
      }
    });
  }
}
