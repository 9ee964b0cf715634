import { askSoftDevice } from "./soft-device.ts";

// Non-resolvable private addresses (GAEN-07): the interpreter can't set them, the SoftDevice below it can. Source: Nordic ble_gap.h, sd_ble_gap_privacy_set.

const PRIVACY_SET = 0x70;
const PRIVACY_GET = 0x71;

/**
 * A fresh non-resolvable private address, without a restart of the stack. Nothing may be advertised or scanned, and nobody be connected. Answers whether the SoftDevice says so;
 * if not, its settings are whatever they are, until the stack restarts.
 */
export function renewPrivateAddress(): boolean {
  // offset 0   u8   privacy: 0 off, 1 on (device privacy)
  // offset 1   u8   kind of address: 3 non-resolvable
  // offset 2   u16  seconds after which the SoftDevice takes another by itself; 41400 is the longest, and never comes: a rotation is there before
  // offset 4   u32  where a key lies; 0 none
  const parameters = new Uint8Array(20);
  parameters.set([0, 3, 41400 & 255, 41400 >> 8]);
  // whether the same settings once more would draw another address isn't documented: off, then on
  let done = askSoftDevice(PRIVACY_SET, parameters);
  parameters[0] = 1;
  done = done && askSoftDevice(PRIVACY_SET, parameters);
  parameters.fill(0);
  return done && askSoftDevice(PRIVACY_GET, parameters) && parameters[0] * parameters[1] === 3;
}
