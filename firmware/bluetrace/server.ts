import { CHARACTERISTICS, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { addressKey } from "../../protocols/bluetrace/blacklist.ts";
import {
  COMPACT_BYTES,
  compactRssi,
  compactTempId,
  encodeCompact,
  FIRST_CHARACTERISTIC,
  FIRST_PIECE,
  isCompact,
  NO_RSSI,
  SECOND_CHARACTERISTIC,
} from "../../protocols/bluetrace/compact.ts";
import { packetText } from "../../protocols/bluetrace/packet.ts";
import { ascii } from "../../protocols/bytes.ts";
import { NO_POWER } from "../../protocols/log-format.ts";
import { keyOf, refuse, writeMeeting } from "./meetings.ts";
import { remember } from "./peers.ts";
import { model, org, service, tempId } from "./temp-ids.ts";

// What this board is to a central. Phones read the standard characteristic, whole, by the radio stack alone; what they write doesn't fit (docs/protocols.md). Boards read and write
// the two pieces of compact.ts. What is written takes the place of our value in the stack, so ours is put back before anybody else can read it.

/** By reference: the stack takes the values anew when it restarts, which each change of the TempID does. So none ever changes while somebody is connected (BT-06). */
let offered: OfferedServices | undefined;
/** The central that is connected, "" without one; the first piece of what it writes, and whether it has told its TempID. */
export let guest = "";
let piece: Uint8Array | undefined;
let told = false;

/** CRC-32 of the authority's name, as the compact form has it. */
export function orgTag(): number {
  return E.CRC32(org);
}
export function welcome(address: string): void {
  guest = address;
  piece = undefined;
  told = false;
}
export function goodbye(): void {
  guest = "";
}

function putBack(): void {
  try {
    NRF.updateServices(offered!);
  } catch (_e) {
    // the stack is about to restart, and takes them anew
  }
}
function takeSecond(second: Uint8Array): void {
  const first = piece;
  const message = new Uint8Array(COMPACT_BYTES);
  piece = undefined;
  if (!told && first && first.length === FIRST_PIECE && second.length === COMPACT_BYTES - FIRST_PIECE) {
    message.set(first);
    message.set(second, FIRST_PIECE);
  }
  if (!isCompact(message, orgTag(), true)) {
    refuse();
    return;
  }
  told = true;
  const id = compactTempId(message);
  remember(addressKey(guest), 0);
  remember(keyOf(id), 0);
  writeMeeting(id, compactRssi(message), NO_POWER, 0);
}

/** Offers the TempID that is in use, from the next restart of the stack on, which must follow at once. No name, no pairing, no console (BT-11). */
export function offer(): void {
  const packet = ascii(packetText(btoa(tempId!), model, org));
  const message = encodeCompact(NO_RSSI, orgTag(), tempId!);
  const values: OfferedServices[string] = {};
  function add(uuid: string, value: Uint8Array, taken: (data: Uint8Array) => void): void {
    values[uuid] = {
      value: value,
      maxLen: value.length,
      readable: true,
      writable: true,
      onWrite: function (event) {
        putBack();
        taken(new Uint8Array(event.data));
      },
    };
  }
  add(CHARACTERISTICS[service], packet, refuse);
  add(FIRST_CHARACTERISTIC, message.subarray(0, FIRST_PIECE), function (data) {
    piece = data;
  });
  add(SECOND_CHARACTERISTIC, message.subarray(FIRST_PIECE), takeSecond);
  offered = {};
  offered[SERVICES[service]] = values;
  NRF.setSecurity({ pair: false });
  NRF.setServices(offered, { uart: false });
}
