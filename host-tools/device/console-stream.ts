import { DeviceError } from "../errors.ts";
import { FrameReceiver } from "./frames.ts";
import type { HostClock } from "./host-clock.ts";
import type { Transport } from "./transport.ts";

/** An answer of the firmware, and when its first byte came, Unix seconds. */
export interface ReceivedFrame {
  payload: Uint8Array;
  begunAt: number;
}

/** Text that is kept for messages about what went wrong. */
const TEXT_KEPT = 16_384;
/** Bytes that come with less than this between them belong together. */
const PAUSE_MS = 250;

/**
 * The two directions of a link, and waiting. Incoming bytes become frames and text; whoever waits looks at both after each arrival.
 * While a binary protocol runs (`raw`) the bytes go there instead.
 */
export class ConsoleStream {
  /** Frames that nobody has taken yet, oldest first. */
  readonly frames: ReceivedFrame[] = [];
  /** What the board printed beside frames, latest part. */
  text = "";
  /** Frames whose check failed, since the link was opened. */
  damaged = 0;
  /** Bytes received since the link was opened. */
  received = 0;
  private lastByteAt = Number.NEGATIVE_INFINITY;
  private closedBy: Error | undefined;
  private readonly waiting = new Set<() => void>();
  private rawListener: ((bytes: Uint8Array) => void) | undefined;
  private readonly receiver = new FrameReceiver({
    frame: (payload, begunAt) => {
      this.frames.push({ payload, begunAt });
    },
    text: (bytes) => {
      this.text = (this.text + Buffer.from(bytes).toString("latin1")).slice(-TEXT_KEPT);
    },
    damaged: () => {
      this.damaged += 1;
    },
  });

  constructor(
    readonly transport: Transport,
    readonly clock: HostClock,
  ) {
    transport.onData((bytes) => {
      this.received += bytes.length;
      this.lastByteAt = clock.now();
      if (this.rawListener) this.rawListener(bytes);
      else this.receiver.push(bytes, clock.now());
      this.wake();
    });
    transport.onClose((error) => {
      this.closedBy = error ?? new DeviceError("disconnected", `${transport.name}: the link was closed`);
      this.wake();
    });
  }

  get name(): string {
    return this.transport.name;
  }

  /** @throws DeviceError "disconnected" */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.closedBy) throw this.closedBy;
    await this.transport.write(bytes);
  }

  writeText(text: string): Promise<void> {
    return this.write(Buffer.from(text, "latin1"));
  }

  /** Everything that came so far is of no interest. */
  clear(): void {
    this.frames.length = 0;
    this.text = "";
  }

  /** Sends bytes that come in to `listener` until the function that is answered is called. */
  raw(listener: (bytes: Uint8Array) => void): () => void {
    this.rawListener = listener;
    return () => {
      this.rawListener = undefined;
    };
  }

  /**
   * Waits until `look` finds what it looks for, and answers that; `undefined` when it is late: after `ms` milliseconds, or, if bytes are
   * still coming then, when they pause, at the latest `extraMs` later.
   * @throws DeviceError "disconnected" as soon as the link ends
   */
  async wait<T>(look: () => T | undefined, ms: number, extraMs = 0): Promise<T | undefined> {
    const { clock } = this;
    const begun = clock.now();
    let late = false;
    let cancel: () => void;
    const expire = () => {
      const now = clock.now();
      if (now - this.lastByteAt < PAUSE_MS / 1000 && (now - begun) * 1000 < ms + extraMs) {
        cancel = clock.setTimeout(expire, PAUSE_MS);
        return;
      }
      late = true;
      // a frame that lost bytes holds back what follows it: end it
      if (!this.rawListener) this.receiver.giveUp();
      this.wake();
    };
    cancel = clock.setTimeout(expire, ms);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (this.closedBy) throw this.closedBy;
        if (late) return undefined;
        await new Promise<void>((resolve) => {
          this.waiting.add(resolve);
        });
      }
    } finally {
      cancel();
    }
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
