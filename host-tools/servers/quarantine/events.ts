import * as z from "zod";

// What the app backend tells the authority's: of a beacon, never of a phone (QB-02, QB-24).

/** 16 bytes as hexadecimal digits. */
export const beaconName = z.string().regex(/^[0-9a-f]{32}$/);
const at = z.number().int().min(0).max(0xffffffff);
const seconds = z.number().int().min(-0xffffffff).max(0xffffffff);

const controlEvent = z.discriminatedUnion("kind", [
  z.strictObject({ at, kind: z.literal("VIOLATION"), id_beacon: beaconName, silent_s: seconds }),
  z.strictObject({ at, kind: z.literal("RECOVERED"), id_beacon: beaconName }),
  z.strictObject({ at, kind: z.literal("BEACON_FAULT"), id_beacon: beaconName, offset_s: seconds }),
]);

/**
 * `at`: Unix seconds of the server's. `silent_s`: for how long no good message came. `offset_s`: how far behind the server the beacon's clock is; a recording looks the same.
 * The names are those of the interface between both servers.
 */
export type ControlEvent = z.infer<typeof controlEvent>;

/** An event of the other server's; undefined for anything else, one with more in it than belongs there included. */
export function readEvent(json: unknown): ControlEvent | undefined {
  return controlEvent.safeParse(json).data;
}
