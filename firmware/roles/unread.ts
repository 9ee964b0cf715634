import { DP3T, DP3T_UNLINKABLE, OPENCOVIDTRACE } from "tracelet:build";
import { txPowerLevel } from "../../protocols/advertising-data.ts";
import { addressKey, blacklisted, isBlacklisted } from "../../protocols/bluetrace/blacklist.ts";
import { offersService } from "../../protocols/dp3t/advertisement.ts";
import { NO_POWER } from "../../protocols/log-format.ts";
import { isAdvertisement, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { RECONNECT_SECONDS } from "../../protocols/opencovidtrace/connections.ts";
import { uuidBytes } from "../../protocols/uuid128.ts";

// Who was heard in a scan without an identifier, and could be asked for it. One number under its address: (RSSI + 128) * STRONGER + (power + 128) * 2 + protocol, 0 DP-3T, 1 OpenCovidTrace.
// All who offer the same show the same packet, so only the address tells them apart.

/** Peers of a scan at most: the first that are heard. */
const MOST_PEERS = 16;
const STRONGER = 1024;
/** Of one whose turn was: stronger than anybody. */
const DONE = 1e9;
/** Seconds until the same peer of DP-3T is tried again (DP-08). */
const PAUSE = 60;

const service = OPENCOVIDTRACE ? uuidBytes(SERVICE) : [];
let peers: { [address: string]: number } = {};
let known = 0;
/** Whom we have tried, and when: a list of blacklist.ts. */
let tried = "";

export interface Unread {
  address: string;
  rssi: number;
  /** dBm; NO_POWER: not told. */
  power: number;
  isOpenCovidTrace: boolean;
}

/** A scan begins. */
export function forgetPeers(): void {
  peers = {};
  known = 0;
}

/** Remembers the sender of a packet that has no identifier in it, if one can be had of it. Answers whether. */
export function notePeer(device: Advertisement, data: Uint8Array): boolean {
  const isOpen = OPENCOVIDTRACE && isAdvertisement(data, service as Uint8Array);
  if (!isOpen && !((DP3T || DP3T_UNLINKABLE) && offersService(data))) return false;
  const power = txPowerLevel(data);
  const strength = (device.rssi + 128) * STRONGER + ((power === undefined ? NO_POWER : power) + 128) * 2 + +isOpen;
  const before = peers[device.id];
  // a positive RSSI is the radio's word for "unknown" (BLE-09)
  if (device.rssi > 0 || before >= strength || (before === undefined && known === MOST_PEERS)) return true;
  if (before === undefined) known++;
  peers[device.id] = strength;
  return true;
}

/** The strongest one that may be tried at `now`, a tick; it is tried now. Undefined: none is left. */
export function nextUnread(now: number): Unread | undefined {
  for (;;) {
    let address = "";
    for (const one in peers) if (peers[one] < DONE && (!address || peers[one] > peers[address])) address = one;
    if (!address) {
      forgetPeers();
      return undefined;
    }
    const what = peers[address];
    const isOpen = OPENCOVIDTRACE && what % 2 > 0;
    peers[address] = DONE;
    if (isBlacklisted(tried, addressKey(address), now, isOpen ? RECONNECT_SECONDS : PAUSE)) continue;
    tried = blacklisted(tried, addressKey(address), now | 0);
    return { address: address, rssi: Math.floor(what / STRONGER) - 128, power: ((what % STRONGER) >> 1) - 128, isOpenCovidTrace: isOpen };
  }
}
