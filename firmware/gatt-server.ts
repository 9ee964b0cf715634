import { DP3T, DP3T_UNLINKABLE, OPENCOVIDTRACE } from "tracelet:build";
import {
  ADVERTISEMENT_BYTES as DP3T_BYTES,
  CHARACTERISTIC as DP3T_CHARACTERISTIC,
  SERVICE as DP3T_SERVICE,
} from "../protocols/dp3t/advertisement.ts";
import { ADVERTISEMENT_BYTES, CHARACTERISTIC, SERVICE } from "../protocols/opencovidtrace/advertisement.ts";
import { tick } from "./board-clock.ts";
import { NEVER } from "./never.ts";
import { ownPayload } from "./senders/opencovidtrace.ts";

// What a board offers to whoever connects: the identifier that it advertises now, and nothing else. The radio stack answers reads by itself, at any offset, and takes the values anew when it
// restarts, which each change of the address does. So value and address change together, and no value changes while somebody is connected (DP-12, OCT-02).

/** Seconds that a guest gets (OCT-05). */
const PATIENCE = 10;

/** By reference: what is in it when the stack restarts is offered from then on. */
const offered: OfferedServices = {};
/** Is the console offered, as it is from the start? Then nobody is a guest, but who came for it. */
let isForConsole = true;
/** Tick at which the guest has to go. */
export let guestUntil = NEVER;

/** `again`: there is something to do at another time than was planned. */
export function installServer(again: () => void): void {
  NRF.on("connect", function () {
    if (!isForConsole) guestUntil = tick() + PATIENCE;
    again();
  });
  NRF.on("disconnect", function () {
    guestUntil = NEVER;
    again();
  });
}

function add(service: string, characteristic: string, value: Uint8Array): void {
  offered[service] = {};
  offered[service][characteristic] = { value: value, maxLen: value.length, readable: true };
}

/**
 * Offers what belongs to `packets`, all that is advertised from the next address on, and nothing of others (MUX-04); the restart of the stack that brings this address must follow.
 * Answers whether there is anything to connect for. No pairing, no console (BLE-08).
 */
export function offer(packets: Uint8Array[]): boolean {
  let any = false;
  if (DP3T || DP3T_UNLINKABLE) delete offered[DP3T_SERVICE];
  if (OPENCOVIDTRACE) delete offered[SERVICE];
  for (let i = 0; i < packets.length; i++) {
    const packet = packets[i];
    if ((DP3T || DP3T_UNLINKABLE) && packet.length === DP3T_BYTES) add(DP3T_SERVICE, DP3T_CHARACTERISTIC, packet.subarray(DP3T_BYTES - 16));
    else if (OPENCOVIDTRACE && packet.length === ADVERTISEMENT_BYTES) add(SERVICE, CHARACTERISTIC, ownPayload);
    else continue;
    any = true;
  }
  if (any && isForConsole) {
    isForConsole = false;
    NRF.setSecurity({ pair: false });
    NRF.setServices(offered, { uart: false });
  }
  return any;
}

/** For the next minute the console, to whoever connects; from the next restart of the stack on. */
export function offerConsole(): void {
  isForConsole = true;
  guestUntil = NEVER;
  NRF.setServices(undefined, { uart: true });
}

/** May the one who is connected be sent away? */
export function isGuest(): boolean {
  return !isForConsole;
}

/** The guest's time is over. Who comes again at once gets as much again; what is advertised and read goes on meanwhile. */
export function showOut(): void {
  guestUntil = tick() + PATIENCE;
  try {
    NRF.disconnect();
  } catch (_e) {
    // it is ending
  }
}
