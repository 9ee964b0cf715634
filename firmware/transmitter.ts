import { BLUETOOTH_CONSOLE, MESSAGES, OPENCOVIDTRACE, SCAN, SERVES, SEVERAL, TOKEN } from "tracelet:build";
import { ADVERTISEMENT_BYTES } from "../protocols/opencovidtrace/advertisement.ts";
import { formatAddress, randomAddress, STATIC_RANDOM } from "../protocols/random-address.ts";
import { ADVERTISING_INTERVAL, PRIVATE_ADDRESS, TX_POWER } from "../protocols/settings.ts";
import { tick } from "./board-clock.ts";
import { hardwareRandom } from "./crypto/random.ts";
import { offer } from "./gatt-server.ts";
import { renewPrivateAddress } from "./private-address.ts";
import { isDeaf } from "./roles/scanner.ts";
import { ownPayload } from "./senders/opencovidtrace.ts";
import { settings } from "./settings.ts";

// What is on the air, and from which address. Who changes the one changes the other in the same radio-silent moment (BLE-06).

export let advertising = false;
export let rotations = 0;
/** Times the radio refused. */
export let radioErrors = 0;
/** Is the address non-resolvable private? Else it is static random. */
export let privateAddress = false;
/** Was the last question for a private address answered with no? */
export let privateRefused = false;
/** Advertising data begins with the Flags, 3 bytes, where the stack takes them. */
let without = 0;
/** DP-3T's identifier stands at another place, at the end. */
const DP3T_BYTES = 30;
/** Identifier on the air, while `advertising`: 16 bytes. */
export let sentIdentifier: Uint8Array;

export function stopAdvertising(): void {
  // sleep ends a connection too, and who has one is not advertising: where Bluetooth is the only way in, the hub stays
  if (!(BLUETOOTH_CONSOLE && NRF.getSecurityStatus().connected)) NRF.sleep();
  advertising = false;
}

/** A fresh static random address, which restarts the radio stack. */
export function takeStaticAddress(): void {
  NRF.setAddress(formatAddress(randomAddress(hardwareRandom, STATIC_RANDOM)) + " random");
}

function withoutFlags(data: Uint8Array): Uint8Array {
  return data.subarray(without);
}

/** Sends `data`, advertising data that begins with Flags, from a fresh address unless it is to be the same; where there are several in `all`, of which it is the first, all in turn. Whether the radio took it is in `advertising`. */
export function transmit(data: Uint8Array, all?: Uint8Array[], sameAddress?: boolean): void {
  const flags = without;
  let isOffered = false;
  try {
    if (SERVES) isOffered = offer(all || [data]);
    // asleep, both are only stored; waking sends the new payload from the new address
    NRF.setAdvertising(
      SEVERAL && all && all.length > 1 ? all.map(withoutFlags) : data.subarray(without),
      // who may be connected to says no name either (BT-11)
      TOKEN
        ? { connectable: true, scannable: true, interval: settings[ADVERTISING_INTERVAL], name: "-" }
        : SERVES && isOffered
          ? // a guest does not silence the board
            { connectable: true, scannable: true, whenConnected: true, interval: settings[ADVERTISING_INTERVAL], name: "-" }
          : { connectable: false, scannable: false, interval: settings[ADVERTISING_INTERVAL] },
    );
    if (!((MESSAGES || TOKEN) && sameAddress)) {
      privateAddress = false;
      // a radio that has been deaf for long needs the restart that a static address brings
      // of a non-resolvable one nobody may be connected to
      if (!TOKEN && !(SERVES && isOffered) && settings[PRIVATE_ADDRESS] && !(SCAN && isDeaf(tick()))) {
        privateAddress = /*@__INLINE__*/ renewPrivateAddress();
        if (SEVERAL) privateRefused = !privateAddress;
        if (!privateAddress) radioErrors++;
      }
      if (!privateAddress) takeStaticAddress();
    }
    // the restart of the stack has put the power back
    NRF.setTxPower(settings[TX_POWER]);
    // not every stack takes flags that speak of classic Bluetooth; without them the packet is as good (BLE-03)
    without = 3;
    NRF.wake();
    without = flags;
    sentIdentifier =
      // of what is on no air who has read it can tell
      OPENCOVIDTRACE && data.length === ADVERTISEMENT_BYTES
        ? ownPayload.subarray(0, 16)
        : SEVERAL && data.length === DP3T_BYTES
          ? data.subarray(14)
          : data.subarray(11, 27);
    rotations++;
    advertising = true;
  } catch (_e) {
    radioErrors++;
    NRF.sleep();
  }
}
