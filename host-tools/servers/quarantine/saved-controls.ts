import * as z from "zod";
import { FormatError } from "../../errors.ts";
import { beaconName } from "./events.ts";
import type { PhoneControl } from "./phone-control.ts";

// What the app backend keeps over a restart, as JSON. It holds the beacons' secrets: a private file, like a key file.

const phoneName = z.string().regex(/^([0-9a-f]{32}|[0-9a-f]{64})$/);
const unix = z.number().int().min(0).max(0xffffffff);
const saved = z.strictObject({
  v: z.literal(1),
  phones: z.array(
    z.strictObject({
      phone: phoneName,
      ref: phoneName.length(32),
      beacon: z.strictObject({ id: beaconName, sk: phoneName, mode: z.enum(["split", "single"]) }),
      setUpAt: unix,
      enabledAt: unix.optional(),
      newest: unix.optional(),
      violated: z.boolean(),
      toldAt: unix.optional(),
      strays: z.array(z.strictObject({ unix, offset: z.number().int() })),
      faulty: z.boolean(),
      counted: z.array(z.tuple([z.string(), unix])),
    }),
  ),
});

export function saveControls(controls: readonly PhoneControl[]): string {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const phones = controls.map(({ beacon, counted, ...rest }) => ({
    ...rest,
    beacon: { id: hex(beacon.id), sk: hex(beacon.sk), mode: beacon.mode },
    counted: [...counted],
  }));
  return JSON.stringify({ v: 1, phones } satisfies z.infer<typeof saved>);
}

/** @throws FormatError "bad_state", which tells nothing of what is in the text */
export function readControls(text: string): PhoneControl[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const read = saved.safeParse(json);
  if (!read.success)
    throw new FormatError(
      "bad_state",
      "the app backend's state can't be read: it is no JSON of this version; restore a copy, or begin anew with setups",
    );
  return read.data.phones.map(({ beacon, counted, ...rest }) => ({
    ...rest,
    beacon: { id: Buffer.from(beacon.id, "hex"), sk: Buffer.from(beacon.sk, "hex"), mode: beacon.mode },
    counted: new Map(counted),
  }));
}
