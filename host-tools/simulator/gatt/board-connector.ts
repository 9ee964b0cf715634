import { ERROR, toUnits } from "../radio-core.ts";
import { toInteger } from "../script-values.ts";
import type { Scheduled } from "../virtual-clock.ts";
import { answerAdvertisement, type LinkEnd, type LinkOptions } from "./air-link.ts";
import type { CentralRadio, ScriptObject } from "./client-context.ts";

/** A connection attempt ends after so many seconds. Source: Espruino after 2v29, jsble_central_connect. */
const CONNECT_SECONDS = 4;
/** BLE_GAP_TIMEOUT_SRC_CONN of S132 3.1 and of S140 6.1. */
const CONNECT_TIMEOUT = { sdk12: 3, sdk15: 2 };
/** Connection intervals are counted in units of 1.25 ms, 6 to 3,200: BLE_GAP_CP_LIMITS. */
const INTERVAL_UNIT_MS = 1.25;
const SHORTEST_INTERVAL = 6;
const LONGEST_INTERVAL = 3200;
const DEFAULT_INTERVALS = { minimum: 6, maximum: 800 };
const LATENCY = 4;
const LONGEST_LATENCY = 499;
/** CONN_SUP_TIMEOUT and the most that the stack takes, units of 10 ms. */
const SUPERVISION = 400;
const LONGEST_SUPERVISION = 3200;

/** The stack's attempt to make a link: it listens for the peer's advertisements, and does nothing else with the receiver meanwhile. One at a time. */
export class BoardConnector {
  private attempt: { timeout: Scheduled; answered: boolean } | undefined;

  constructor(
    private readonly radio: CentralRadio,
    /** The time is over; the stack's number of what has timed out. */
    private readonly timedOut: (source: number) => void,
  ) {}

  get running(): boolean {
    return this.attempt !== undefined;
  }

  /** Begins; 0, or why the stack refuses. `room`: may the board have another link? */
  start(address: string, options: ScriptObject, end: LinkEnd, room: boolean): number {
    const link = linkOptions(options);
    if (!link) return ERROR.INVALID_PARAM;
    if (this.attempt) return ERROR.INVALID_STATE;
    if (!room) return ERROR.CONN_COUNT;
    const { host, scanner, frontEnd, sdk15 } = this.radio;
    scanner.stoppedByStack();
    const timeout = host.clock.after(CONNECT_SECONDS, () => {
      this.stop();
      this.timedOut(sdk15 ? CONNECT_TIMEOUT.sdk15 : CONNECT_TIMEOUT.sdk12);
    });
    const attempt = { timeout, answered: false };
    this.attempt = attempt;
    const window = scanUnits(options.window);
    frontEnd.scan({
      windowMs: window * 0.625,
      intervalMs: Math.max(scanUnits(options.interval), window) * 0.625,
      heard: (report) => {
        if (this.attempt === attempt && !attempt.answered) attempt.answered = answerAdvertisement(report, address, end, link);
      },
    });
    return 0;
  }

  stop(): void {
    if (!this.attempt) return;
    this.forget();
    this.radio.frontEnd.scan(undefined);
  }

  /** The stack is shut down. */
  forget(): void {
    this.attempt?.timeout.cancel();
    this.attempt = undefined;
  }
}

/** What Espruino asks for, or undefined where the stack refuses it. Of a range of intervals the shortest is taken: nothing says which one the stack takes. */
function linkOptions(options: ScriptObject): LinkOptions | undefined {
  const units = (value: unknown, otherwise: number) =>
    value === undefined || Number.isNaN(Number(value)) ? otherwise : Math.trunc(Number(value) / INTERVAL_UNIT_MS + 0.5);
  const minimum = units(options.minInterval, DEFAULT_INTERVALS.minimum);
  const maximum = units(options.maxInterval, DEFAULT_INTERVALS.maximum);
  const latency = toInteger(options.slaveLatency) > 0 ? toInteger(options.slaveLatency) : LATENCY;
  const supervision = Math.max(SUPERVISION, ((1 + latency) * maximum + 4) >> 2);
  const intervals = minimum >= SHORTEST_INTERVAL && maximum <= LONGEST_INTERVAL && minimum <= maximum;
  if (!intervals || latency > LONGEST_LATENCY || supervision > LONGEST_SUPERVISION) return undefined;
  return { intervalMs: minimum * INTERVAL_UNIT_MS, supervisionMs: supervision * 10 };
}

function scanUnits(value: unknown): number {
  const asked = toUnits(toInteger(value));
  return asked >= 4 && asked <= 16384 ? asked : toUnits(100);
}
