import type { Uuid } from "../radio-packets.ts";

/** Espruino's `vs_uuid_count` for the nRF52: so many long UUIDs, less their bytes 12 and 13, can the stack tell apart. */
const BASES = 10;

/** The long UUIDs that a stack knows, until it restarts. Two that differ in bytes 12 and 13 only, digits five to eight, take one place. Source: Nordic's sd_ble_uuid_vs_add; Espruino after 2v29, bleVarToUUID. */
export class VendorUuids {
  private readonly bases = new Set<string>();

  /** False: no room for another. Short UUIDs need none. */
  add(uuid: Uuid): boolean {
    if (this.knows(uuid)) return true;
    if (this.bases.size >= BASES) return false;
    this.bases.add(baseOf(uuid));
    return true;
  }

  knows(uuid: Uuid): boolean {
    return uuid.length === 2 || this.bases.has(baseOf(uuid));
  }

  clear(): void {
    this.bases.clear();
  }
}

function baseOf(uuid: Uuid): string {
  return Array.from(uuid, (byte, i) => (i === 12 || i === 13 ? 0 : byte)).join();
}
