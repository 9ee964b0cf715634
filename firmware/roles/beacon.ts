import { readU32 } from "../../protocols/bytes.ts";
import { INTERVAL_SECONDS, intervalNumber, rollingStart } from "../../protocols/gaen/key-schedule.ts";
import { KEY_ENDED, KEY_IN_USE, TEK } from "../../protocols/log-format.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { unixTime } from "../board-clock.ts";
import { append, deleteRecord, eachOf } from "../encounter-log.ts";
import { forgetGaenKey, makeGaen } from "../senders/gaen.ts";
import { randomLifetime } from "../senders/sender.ts";
import { advertising, stopAdvertising, transmit } from "../transmitter.ts";

// Whose identifiers are on the air, and when they change.

/** Seconds until the radio is asked again. */
const RETRY = 10;

/** The last period whose identifier was sent, or may have been before a restart: no other of it ever is. */
let sent = 0;

/** Ends the keys of today and of days to come: the next rotation begins a fresh one. `last`: the interval in which that is (GAEN-12), 0 where the clock was set back (COM-07). */
export function endKeys(last: number): void {
  const day = rollingStart(intervalNumber(unixTime()));
  const ended: Uint8Array[] = [];
  function isMeant(slot: Uint8Array): boolean {
    return slot[22] === KEY_IN_USE && readU32(slot, 17) >= day;
  }
  eachOf(1 << TEK, function (slot) {
    if (isMeant(slot)) ended.push(slot);
  });
  for (let i = 0; i < ended.length; i++) {
    const slot = ended[i];
    if (last) slot[21] = last - readU32(slot, 17) + 1;
    slot[22] = KEY_ENDED;
    append(slot);
  }
  // only now, so that no power cut forgets a key; looked for again, because a fresh page may have moved it
  eachOf(1 << TEK, function (slot, address) {
    if (isMeant(slot)) deleteRecord(slot, address);
  });
  /*@__INLINE__*/ forgetGaenKey();
  sent = 0;
}

/** Fresh address and identifier in one radio-silent moment (BLE-06). Answers the seconds until it wants to be called again: at once while more is to be done first. */
export function rotate(crypto: Crypto, unix: number): number {
  const period = intervalNumber(unix);
  // an identifier is sent from one address only (BLE-06): what is on the air stays there, and where nothing is the next period is waited for
  if (period <= sent) return (sent + 1) * INTERVAL_SECONDS - unix;
  stopAdvertising();
  const data = /*@__INLINE__*/ makeGaen(crypto, unix);
  if (!(data as Uint8Array).length) {
    if (data) sent = data as number;
    return 0;
  }
  /*@__INLINE__*/ transmit(data as Uint8Array);
  if (!advertising) return RETRY;
  sent = period;
  return /*@__INLINE__*/ randomLifetime(crypto, unix);
}
