import { DP3T, DP3T_UNLINKABLE, OPENCOVIDTRACE } from "tracelet:build";
import { CHARACTERISTIC as DP3T_CHARACTERISTIC, SERVICE as DP3T_SERVICE, encodeAdvertisement } from "../../protocols/dp3t/advertisement.ts";
import { CHARACTERISTIC, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { PAYLOAD_BYTES } from "../../protocols/opencovidtrace/payload.ts";
import { tick } from "../board-clock.ts";
import { linkTo } from "../gatt-client.ts";
import { scanner, takeRead } from "./scanner.ts";
import { nextUnread } from "./unread.ts";

// Reads identifiers that are on no air: of peers of DP-3T that say no more than that they are there, as iPhones in the background do (DP-08), and of all of OpenCovidTrace (OCT-01). One
// after the other, when a scan is over. What was read goes into the scanner as if it had been heard, so it is merged, kept and given up like everything else.

/** Seconds that a peer gets in all (DP-08, OCT-05). */
export const PATIENCE = 10;
const EPHID_BYTES = 16;

/** Identifiers read since the start; peers that had none, or not of the right length; and those that were not to be reached. */
export let reads = 0;
export let unreadable = 0;
export let unreached = 0;

/** What `scanner` takes for a packet: DP-3T's own, or a zero and the rolling identifier. */
function asPacket(value: Uint8Array, power: number): Uint8Array {
  if (value.length === EPHID_BYTES) return encodeAdvertisement(value, power);
  const packet = new Uint8Array(17);
  packet.set(value.subarray(0, 16), 1);
  return packet;
}

/** Reads the next one. `now`: tick; `again`: the radio is free again. False: nobody is left. */
export function readNext(now: number, again: () => void): boolean {
  const next = nextUnread(now);
  if (!next) return false;
  const isOpen = OPENCOVIDTRACE && (!(DP3T || DP3T_UNLINKABLE) || next.isOpenCovidTrace);
  let value: Uint8Array | undefined;
  /*@__INLINE__*/ linkTo(
    next.address,
    PATIENCE,
    function (server) {
      return server
        .getPrimaryService(isOpen ? SERVICE : DP3T_SERVICE)
        .then(function (found) {
          return found!.getCharacteristic(isOpen ? CHARACTERISTIC : DP3T_CHARACTERISTIC);
        })
        .then(function (found) {
          return found!.readValue();
        })
        .then(function (read) {
          const bytes = new Uint8Array(read.buffer);
          if (bytes.length === (isOpen ? PAYLOAD_BYTES : EPHID_BYTES)) value = bytes;
        });
    },
    function (met) {
      if (value) {
        reads++;
        takeRead({ id: next.address, rssi: next.rssi, data: asPacket(value, next.power).buffer as ArrayBuffer }, tick() | 0);
        scanner.endStep(0);
      } else if (met) unreadable++;
      else unreached++;
      again();
    },
  );
  return true;
}
