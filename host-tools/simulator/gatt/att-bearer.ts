import type { Scheduled, VirtualClock } from "../virtual-clock.ts";
import { ATT, le16, pdu, readLe16, SMALLEST_MTU, TRANSACTION_SECONDS } from "./att.ts";
import { AttServer, type Mtu, type ServerHost } from "./att-server.ts";

export interface BearerHost {
  readonly clock: VirtualClock;
  readonly ownMtu: number;
  readonly server: ServerHost;
  /** Sends a PDU; `sent` is called when it has been acknowledged. */
  send(bytes: Uint8Array, sent?: () => void): void;
  /** The peer has notified or indicated a value. */
  notified(handle: number, value: Uint8Array): void;
  /** The peer has not answered within 30 s. No further request is possible on this link. */
  timedOut(): void;
  /** Holds an answer back for so many seconds. */
  answerDelay?(): number;
}

/** One end of a link's Attribute Protocol: a server, and a client with one request at a time. Source: Bluetooth Core 5.4, Vol 3, Part F, 3.3. */
export class AttBearer implements Mtu {
  mtu = SMALLEST_MTU;
  readonly server: AttServer;
  private waiting: { request: number; done: (answer: Uint8Array) => void; timeout: Scheduled } | undefined;
  private confirming: ((() => void) | undefined)[] = [];
  /** No further request is possible. */
  private dead = false;
  private closed = false;

  constructor(private readonly host: BearerHost) {
    this.server = new AttServer(host.server, this);
  }

  get ownMtu(): number {
    return this.host.ownMtu;
  }

  agree(peerMtu: number): void {
    this.mtu = Math.max(SMALLEST_MTU, Math.min(this.ownMtu, peerMtu));
  }

  /** Is a request on its way that has not been answered? */
  get busy(): boolean {
    return this.waiting !== undefined || this.dead;
  }

  /** Asks; `done` gets the answer, which may be an error PDU. False: another request is on its way. */
  request(bytes: Uint8Array, done: (answer: Uint8Array) => void): boolean {
    if (this.busy) return false;
    const timeout = this.host.clock.after(TRANSACTION_SECONDS, () => {
      this.dead = true;
      this.waiting = undefined;
      this.host.timedOut();
    });
    this.waiting = { request: bytes[0]!, done, timeout };
    this.host.send(bytes);
    return true;
  }

  /** Asks for longer PDUs. */
  exchangeMtu(done: () => void): boolean {
    return this.request(pdu(ATT.MTU_REQUEST, le16(this.ownMtu)), (answer) => {
      if (answer[0] === ATT.MTU_RESPONSE && answer.length === 3) this.agree(readLe16(answer, 1));
      done();
    });
  }

  /** Sends a value on; it is cut to what fits into a PDU. */
  notify(handle: number, value: Uint8Array, sent?: () => void): void {
    this.host.send(pdu(ATT.NOTIFICATION, le16(handle), value.subarray(0, this.mtu - 3)), sent);
  }

  /** The same with a confirmation; false while one is awaited. */
  indicate(handle: number, value: Uint8Array, confirmed?: () => void): boolean {
    if (this.confirming.length > 0) return false;
    this.confirming.push(confirmed);
    this.host.send(pdu(ATT.INDICATION, le16(handle), value.subarray(0, this.mtu - 3)));
    return true;
  }

  command(bytes: Uint8Array, sent?: () => void): void {
    this.host.send(bytes, sent);
  }

  /** What came over the link. Longer than agreed on: L2CAP throws it away (Core 5.4, Vol 3, Part A, 3.3.1). */
  receive(bytes: Uint8Array): void {
    if (bytes.length === 0 || bytes.length > Math.max(this.mtu, this.ownMtu)) return;
    const opcode = bytes[0]!;
    if (opcode === ATT.CONFIRMATION) {
      this.confirming.shift()?.();
    } else if (opcode === ATT.NOTIFICATION || opcode === ATT.INDICATION) {
      if (opcode === ATT.INDICATION) this.host.send(pdu(ATT.CONFIRMATION));
      if (bytes.length >= 3) this.host.notified(readLe16(bytes, 1), bytes.subarray(3));
    } else if (this.isAnswer(opcode)) this.answered(bytes);
    else this.serve(bytes);
  }

  close(): void {
    this.closed = true;
    this.dead = true;
    this.waiting?.timeout.cancel();
    this.waiting = undefined;
  }

  private serve(bytes: Uint8Array): void {
    const delay = this.host.answerDelay?.() ?? 0;
    if (delay > 0 && bytes[0] !== ATT.MTU_REQUEST) this.host.clock.after(delay, () => this.serveNow(bytes));
    else this.serveNow(bytes);
  }

  private serveNow(bytes: Uint8Array): void {
    if (this.closed) return;
    const answer = this.server.answer(bytes);
    if (answer) this.host.send(answer);
  }

  /** Answers have the odd opcodes from 1 to 0x19. */
  private isAnswer(opcode: number): boolean {
    return opcode <= ATT.EXECUTE_WRITE_RESPONSE && (opcode & 1) === 1;
  }

  /** An answer to nothing, or to something else, is dropped. */
  private answered(bytes: Uint8Array): void {
    const { waiting } = this;
    if (!waiting) return;
    const fits = bytes[0] === ATT.ERROR ? bytes.length === 5 && bytes[1] === waiting.request : bytes[0] === waiting.request + 1;
    if (!fits) return;
    waiting.timeout.cancel();
    this.waiting = undefined;
    waiting.done(bytes);
  }
}
