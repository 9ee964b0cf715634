import type { Position, RxDataRow, RxRawDataRow } from "./mh-csv.ts";

/** What the scanner gave for one address in one step of a scan: its last report. */
export interface Report {
  rpi: Uint8Array;
  aem: Uint8Array;
  rssi: number;
  address: string;
  addressType: "random" | "public";
}

/**
 * The peer tool's way from reports to rows (MH, section 4). A scan has steps of 2 s. Sightings of one RPI are merged until it was unseen for twice the
 * cycle and 10 s; the check is made once a cycle, with the time of its last step.
 */
export function createSightingMerge(cycleSeconds: number) {
  const unseenSeconds = 2 * cycleSeconds + 10;
  /** By RPI in hex, in the order first heard. */
  const open = new Map<string, RxDataRow>();

  function add(sighting: RxRawDataRow): void {
    const { time, rssi, kind: _, ...received } = sighting;
    const key = Buffer.from(sighting.rpi).toString("hex");
    const entry = open.get(key);
    // Address, AEM and position are the latest, the signal is the strongest.
    open.set(key, { kind: "rx_data", ...received, start: entry?.start ?? time, end: time, maxRssi: Math.max(entry?.maxRssi ?? rssi, rssi) });
  }

  return {
    /** Takes the reports of the step that began at `time` (Unix seconds). Answers its sightings: the rows of rx_raw_data.csv. */
    step(time: number, reports: Iterable<Report>, position?: Position): RxRawDataRow[] {
      const sightings = Array.from(reports, (report): RxRawDataRow => ({ kind: "rx_raw_data", time, ...report, position }));
      sightings.forEach(add);
      return sightings;
    },
    /** Ends a cycle's scan whose last step began at `now`. Answers what is complete: rows of rx_data.csv. */
    endCycle(now: number): RxDataRow[] {
      const complete: RxDataRow[] = [];
      for (const [key, entry] of open) {
        if (now - entry.end < unseenSeconds) continue;
        complete.push(entry);
        open.delete(key);
      }
      return complete;
    },
    /** Ends the run: all that is still open. */
    end(): RxDataRow[] {
      const rest = [...open.values()];
      open.clear();
      return rest;
    },
  };
}
