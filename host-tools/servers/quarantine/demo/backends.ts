import { decodeBase64Url } from "../../../../protocols/base64.ts";
import { latin1 } from "../../../../protocols/bytes.ts";
import { openFernetText } from "../../../../protocols/fernet/token.ts";
import { aesDecrypt, nodeCrypto } from "../../../node-crypto.ts";
import { PRESETS } from "../settings.ts";
import { formatLine, microseconds, parseLine } from "./lines.ts";

// Both servers of the demonstration, by its lines. `at` everywhere: the server's time as its UTC text with microseconds. What it got wrong and is right here: README.md.

/** ID of the beacon, key, and when the newest token was made; at first the time of registration. */
export type DatabaseRow = [beacon: string, key: string, time: string];

export type Answer =
  /** No line, or none for this server. */
  | { kind: "refused" }
  | { kind: "registered" }
  /** Was the token taken; what is stored of the phone afterwards, undefined where there is no such phone. */
  | { kind: "token"; accepted: boolean; stored: string | undefined };

export class DemoAppBackend {
  private readonly phones = new Map<string, DatabaseRow>();

  take(text: string, at: string): Answer {
    const line = parseLine(text);
    if (line?.kind === "setup") {
      // whoever comes anew is last in the order of alerts
      this.phones.delete(line.phone);
      this.phones.set(line.phone, [line.beacon, line.key, at]);
      return { kind: "registered" };
    }
    if (line?.kind !== "token") return { kind: "refused" };
    const row = this.phones.get(line.phone);
    const time = row && timeOf(line.token, row[1], at);
    if (row && time !== undefined && microseconds(time)! > microseconds(row[2])!) row[2] = time;
    return { kind: "token", accepted: time !== undefined, stored: row?.[2] };
  }

  /** A line for the authority for each phone that was silent for too long, in the order of registration. */
  control(at: string): string[] {
    const now = microseconds(at)!;
    return [...this.phones.values()]
      .filter(([, , time]) => now > microseconds(time)! + PRESETS.demo.limitSeconds * 1e6)
      .map(([beacon]) => formatLine({ kind: "alert", beacon }));
  }

  get database(): Record<string, DatabaseRow> {
    return Object.fromEntries(this.phones);
  }
}

/** When the token says it was made; undefined for one that is foreign, no time, too old or of the future: else one token would excuse a silence for ever. */
function timeOf(token: string, key: string, at: string): string | undefined {
  const now = microseconds(at)!;
  const seconds = Math.floor(now / 1e6);
  const text = openFernetText(nodeCrypto, aesDecrypt, decodeBase64Url(key)!, token, seconds, PRESETS.demo.staleSeconds);
  if (typeof text === "string") return undefined;
  const time = latin1(text);
  const made = microseconds(time);
  if (made === undefined || made > now + PRESETS.demo.futureSeconds * 1e6 || made < now - PRESETS.demo.staleSeconds * 1e6) return undefined;
  return time;
}

export class DemoAuthorityBackend {
  private readonly times = new Map<string, string[]>();

  /** `homes`: what is known of a beacon's home. */
  constructor(private readonly homes: ReadonlyMap<string, string>) {}

  /** Logs an alert and answers with the home, undefined where no beacon of that name hangs in one; `refused` for any other line. */
  take(text: string, at: string): { home: string | undefined } | "refused" {
    const line = parseLine(text);
    if (line?.kind !== "alert") return "refused";
    this.times.set(line.beacon, [...(this.times.get(line.beacon) ?? []), at]);
    return { home: this.homes.get(line.beacon) };
  }

  get log(): Record<string, string[]> {
    return Object.fromEntries(this.times);
  }
}
