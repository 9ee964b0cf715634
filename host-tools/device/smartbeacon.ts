import type { DeviceStatus } from "../../protocols/device-link.ts";
import { SMARTBEACON_TAG } from "../../protocols/protocol-tags.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { CARRIER_AT, ID_AT, OFFSET_AT, SETUP_BYTES, SINGLE_AT, SK_LENGTH_AT } from "../../protocols/smartbeacon/setup.ts";
import { ConfigError, DeviceError } from "../errors.ts";
import type { BeaconKey } from "../smartbeacon/key-file.ts";
import type { Board } from "./board.ts";
import { type Synchronised, synchronise } from "./clock-sync.ts";
import { sleep } from "./host-clock.ts";

// Makes a SmartBeacon of a board that has the firmware of one.

/** What carries the message, by the names of the command line. */
export const CARRIERS: { readonly [name: string]: number } = { token: COMPACT_TOKEN, message: MESSAGE_FRAGMENT, fernet: FERNET_FRAGMENT };

export interface BeaconSetup extends BeaconKey {
  /** A name of CARRIERS. */
  carrier: string;
  /** Minutes that local time is ahead of UTC, for the text of MESSAGE C: -840 to 840. */
  utcOffset: number;
}

export interface BeaconRuns {
  clock: Synchronised;
  /** As the first message is on the air. */
  status: DeviceStatus;
}

/** A beacon that was told to wait asks its radio again after 10 s. */
const PATIENCE_SECONDS = 30;

/** @throws ConfigError "short_key" where the carrier needs more of a key than this one has */
export function checkSetup({ sk, carrier }: Pick<BeaconSetup, "sk" | "carrier">): void {
  if (carrier === "fernet" && sk.length !== 32)
    throw new ConfigError(
      "short_key",
      `carrier fernet needs a key of 32 bytes, this one has ${sk.length}; take another key file, or --carrier message`,
    );
}

/** The bytes of protocols/smartbeacon/setup.ts. Secret. */
export function encodeSetup({ id, sk, mode, carrier, utcOffset }: BeaconSetup): Uint8Array {
  const setup = new Uint8Array(SETUP_BYTES);
  setup.set(sk);
  setup.set(id, ID_AT);
  setup[CARRIER_AT] = CARRIERS[carrier];
  setup[SK_LENGTH_AT] = sk.length;
  setup[SINGLE_AT] = mode === "single" ? 1 : 0;
  new DataView(setup.buffer).setInt16(OFFSET_AT, utcOffset, true);
  return setup;
}

/** Does a SmartBeacon have its key? `pr` of its status. */
export function hasBeaconKey(pr: DeviceStatus["pr"]): boolean {
  return (((pr?.[1] ?? 0) >> SMARTBEACON_TAG) & 1) === 1;
}

/** @throws DeviceError "no_firmware", "wrong_role", "not_by_wire": a key goes over a wire or not at all (QB-13) */
export async function requireSmartBeacon(board: Board): Promise<void> {
  await board.requireFirmware();
  const { r } = await board.anyStatus();
  if (r !== "smartbeacon")
    throw new DeviceError(
      "wrong_role",
      `${board.name}: its role is ${r}, and only a board with the role smartbeacon takes a key; \`tracelet flash --role smartbeacon --protocol smartbeacon\` makes it one`,
    );
  const console = await board.repl.evaluate('E.getConsole?E.getConsole():""', undefined, 3);
  if (console === "Bluetooth")
    throw new DeviceError("not_by_wire", `${board.name}: this console is Bluetooth, where others may listen; connect the board by wire`);
}

/**
 * Sets the clock, hands the key over, and waits until a message is on the air. Running it again does no harm, wherever it was cut off; the last setup counts.
 * @throws DeviceError "not_kept", "not_advertising", and those of `requireSmartBeacon` and `synchronise`
 */
export async function setUpBeacon(board: Board, setup: BeaconSetup): Promise<BeaconRuns> {
  checkSetup(setup);
  await requireSmartBeacon(board);
  // a beacon without a time has nothing to say, so the key comes last
  const clock = await synchronise(board);
  const { ro } = await board.status();
  const bytes = encodeSetup(setup);
  try {
    await board.setUpBeacon(bytes);
  } finally {
    bytes.fill(0);
  }
  const end = board.clock.now() + PATIENCE_SECONDS;
  for (;;) {
    const status = await board.status();
    if (!hasBeaconKey(status.pr))
      throw new DeviceError(
        "not_kept",
        `${board.name}: the board did not keep the key, its flash may be worn (errors: ${status.er[1]}); look at \`tracelet status\``,
      );
    if (status.ad && status.ro > ro) return { clock, status };
    if (board.clock.now() > end)
      throw new DeviceError(
        "not_advertising",
        `${board.name}: the board has its key and its time but sends nothing after ${PATIENCE_SECONDS} s (radio errors: ${status.er[0]}, start number ${status.e}); switch it off and on, then try again`,
      );
    await sleep(board.clock, 300);
  }
}
