import { randomBytes } from "node:crypto";
import { z } from "zod";
import { ConfigError } from "../errors.ts";
import { createSecretFile, readSecretJson } from "../secret-file.ts";

// The private file of a SmartBeacon. Who has it can make its messages: it goes to the beacon and to the server that verifies them, and stands in no message of ours.

export type KeyMode = "split" | "single";

export interface BeaconKey {
  /** ID_BEACON, 16 bytes. */
  id: Uint8Array;
  /** SK_BEACON, 32 bytes; 16 only in mode single. */
  sk: Uint8Array;
  /** Of MESSAGE C, see docs/protocols.md. */
  mode: KeyMode;
}

const hex = (bytes: RegExp) => z.string().regex(bytes);
const shape = z.strictObject({
  id_beacon: hex(/^[0-9a-f]{32}$/i),
  sk_beacon: hex(/^([0-9a-f]{32}|[0-9a-f]{64})$/i),
  mode: z.enum(["split", "single"]),
});
const EXPECTED =
  'one JSON object {"id_beacon": 32 hexadecimal digits, "sk_beacon": 64, or 32 in mode single, "mode": "split" or "single"}, neither of them all 0';

/** @throws ConfigError "no_file", "bad_key"; neither tells anything of what is in the file */
export function readBeaconKey(file: string): BeaconKey {
  const key = parseBeaconKey(readSecretJson(file, "`tracelet smartbeacon setup --new` makes a key file"));
  if (!key) throw new ConfigError("bad_key", `${file} is no SmartBeacon's key file: it has ${EXPECTED}`);
  return key;
}

function parseBeaconKey(json: unknown): BeaconKey | undefined {
  const parsed = shape.safeParse(json);
  if (!parsed.success) return undefined;
  const { id_beacon, sk_beacon, mode } = parsed.data;
  const key = { id: Buffer.from(id_beacon, "hex"), sk: Buffer.from(sk_beacon, "hex"), mode };
  const isZero = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);
  return isZero(key.id) || isZero(key.sk) || (key.sk.length === 16 && mode === "split") ? undefined : key;
}

/** A fresh key in a new file of its owner's. @throws ConfigError as `createSecretFile` */
export function createBeaconKey(file: string, mode: KeyMode): BeaconKey {
  const key = { id: randomBytes(16), sk: randomBytes(32), mode };
  const line = JSON.stringify({ id_beacon: key.id.toString("hex"), sk_beacon: key.sk.toString("hex"), mode });
  createSecretFile(file, line, "take the key in it with --id-file");
  return key;
}
