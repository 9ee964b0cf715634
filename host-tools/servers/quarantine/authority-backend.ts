import { formatUtc } from "../../../protocols/smartbeacon/timestamp.ts";
import type { QueuedAlert } from "./alert-queue.ts";
import { SETUP_SECONDS } from "./app-backend.ts";
import type { ControlEvent } from "./events.ts";

/** Alerts are kept for so long, s, unless the police's rule says otherwise (QB-20). */
const LOG_SECONDS = 90 * 86400;
/** Alerts that may come again: more than a queue sends before it hears that one has come. */
const MOST_REMEMBERED = 1024;

interface Home {
  address: string;
  /** Unix seconds. */
  setUpAt: number;
  /** The app backend has confirmed the control. */
  enabled: boolean;
}

export interface LogEntry {
  event: ControlEvent;
  /** Was there a home with this beacon when the alert came? */
  known: boolean;
}

/** JSON. It says who was told to be at home, and who was not: health data, for the authority alone. */
export interface AuthorityState {
  homes: [string, Home][];
  log: LogEntry[];
  /** Ids of the newest alerts. */
  received: string[];
}

export interface Alerted {
  /** Where to go; undefined where no home has this beacon. */
  address?: string;
  /** It came before, and is not in the log twice. */
  repeated: boolean;
}

/**
 * The authority's rules: homes, alerts, and which beacons' control is still to be asked for. It knows no phone (QB-02), and no beacon's key. `at`: its own time, Unix seconds.
 */
export class AuthorityBackend {
  private readonly homes: Map<string, Home>;
  private readonly received: Set<string>;
  private log: LogEntry[];

  constructor(
    saved: AuthorityState = { homes: [], log: [], received: [] },
    private readonly logSeconds = LOG_SECONDS,
  ) {
    this.homes = new Map(saved.homes);
    this.received = new Set(saved.received);
    this.log = [...saved.log];
  }

  /** A beacon hangs in a home. Another address for the same beacon replaces the first; control is asked for anew. */
  addHome(idBeacon: string, address: string, at: number): void {
    this.expire(at);
    this.homes.set(idBeacon, { address, setUpAt: at, enabled: false });
  }

  /** Beacons for which ENABLE is to be sent, or sent again (QB-04), oldest first. */
  toEnable(at: number): string[] {
    this.expire(at);
    return [...this.homes].flatMap(([idBeacon, { enabled }]) => (enabled ? [] : idBeacon));
  }

  /** The app backend's answer to ENABLE: of how many phones it has control. 0 is no confirmation. */
  confirm(idBeacon: string, enabled: number): void {
    const home = this.homes.get(idBeacon);
    if (home && enabled > 0) home.enabled = true;
  }

  /** An alert, once however often it is sent. One of a beacon that hangs in no home is logged as such: it may have been taken down while the alert was on its way. */
  receive({ id, event }: QueuedAlert, at: number): Alerted {
    this.expire(at);
    const home = this.homes.get(event.id_beacon);
    const repeated = this.received.has(id);
    if (!repeated) {
      this.received.add(id);
      if (this.received.size > MOST_REMEMBERED) for (const oldest of [...this.received].slice(0, -MOST_REMEMBERED)) this.received.delete(oldest);
      this.log.push({ event, known: home !== undefined });
    }
    return { ...(home && { address: home.address }), repeated };
  }

  /** The end of a quarantine. Answers whether there was such a home. Its alerts stay as long as others. */
  removeHome(idBeacon: string): boolean {
    return this.homes.delete(idBeacon);
  }

  entries(at: number): readonly LogEntry[] {
    this.expire(at);
    return this.log;
  }

  /** The log in the source's form: a beacon's violations as UTC texts. */
  violations(at: number): Record<string, string[]> {
    const times = new Map<string, string[]>();
    for (const { event } of this.entries(at)) {
      if (event.kind !== "VIOLATION") continue;
      const known = times.get(event.id_beacon) ?? [];
      times.set(event.id_beacon, [...known, formatUtc(event.at, 0)]);
    }
    return Object.fromEntries(times);
  }

  get state(): AuthorityState {
    return { homes: [...this.homes], log: this.log, received: [...this.received] };
  }

  private expire(at: number): void {
    for (const [idBeacon, { setUpAt }] of this.homes) if (at >= setUpAt + SETUP_SECONDS) this.homes.delete(idBeacon);
    this.log = this.log.filter(({ event }) => at < event.at + this.logSeconds);
  }
}
