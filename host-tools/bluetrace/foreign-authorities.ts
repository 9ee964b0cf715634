import { createHash } from "node:crypto";
import { decodeBase64 } from "../../protocols/base64.ts";
import { FormatError } from "../errors.ts";
import { UID_BYTES } from "./temp-ids.ts";

const SALT_BYTES = 32;

/** Where a record goes: it is ours, another authority's that we know, or nobody's that we know. */
export type Route = "local" | "unknown" | `forward:${string}`;

/** By the exact name of the authority, capitals and all (BT-16). A record that isn't ours is neither opened nor shown here. */
export function routeRecord(org: string, own: string, known: readonly string[]): Route {
  if (org === own) return "local";
  return known.includes(org) ? `forward:${org}` : "unknown";
}

/**
 * PseudoID, 64 hex digits: what another authority gets instead of a user ID. The same user has the same one for each asking authority, another for another,
 * because `salt` (32 secret bytes) is the asking authority's own (BT-17). The white paper asks for a salted hash; SHA-256 over salt and user ID is our choice.
 */
export function pseudoId(salt: Uint8Array, uid: string): string {
  if (salt.length !== SALT_BYTES) throw new FormatError("bluetrace_salt", `PseudoID: a salt of 32 bytes, got ${salt.length}`);
  const user = decodeBase64(uid);
  if (user?.length !== UID_BYTES) throw new FormatError("bluetrace_uid", `user ID: 28 base64 characters for 21 bytes, got ${uid.length} characters`);
  return createHash("sha256").update(salt).update(user).digest("hex");
}
