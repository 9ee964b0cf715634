import { ascii } from "../../protocols/bytes.ts";
import { sealFernet } from "../../protocols/fernet/token.ts";
import type { Crypto } from "../../protocols/ports.ts";
import { SMARTBEACON_TAG } from "../../protocols/protocol-tags.ts";
import { LOW_BATTERY } from "../../protocols/settings.ts";
import { COMPACT_TOKEN, encodeAdvertisement, FERNET_FRAGMENT, MESSAGE_FRAGMENT } from "../../protocols/smartbeacon/advertisement.ts";
import { BATTERY_LOW, CLOCK_UNSET, sealToken, tokenKeys } from "../../protocols/smartbeacon/compact-token.ts";
import { fragment, fragmentCount, messageId } from "../../protocols/smartbeacon/fragments.ts";
import { derivedKey, MESSAGE_ENCRYPTION, MESSAGE_MAC } from "../../protocols/smartbeacon/keys.ts";
import { sealMessageC } from "../../protocols/smartbeacon/message-c.ts";
import { CARRIER_AT, ID_AT, OFFSET_AT, SETUP_BYTES, SINGLE_AT, SK_LENGTH_AT } from "../../protocols/smartbeacon/setup.ts";
import { formatTimestamp, formatUtc } from "../../protocols/smartbeacon/timestamp.ts";
import { tick } from "../board-clock.ts";
import { boardAes256 } from "../crypto/board.ts";
import { era, nextSequence } from "../encounter-log.ts";
import { findSecret, replaceSecret } from "../own-keys.ts";
import { settings } from "../settings.ts";

// A beacon on a wall: what it sends proves to whoever has the same key that a phone was near it, now.

/** Starts that a token can count; then the beacon needs a fresh key (QB-11). */
const MOST_STARTS = 65535;
/** Rolling starts from here on never come, so that their records do not expire; a later setup has a later one. */
const NEVER_COMES = 0xf0000000;

/** As in protocols/smartbeacon/setup.ts; `undefined` until it is looked for, empty where there is none. */
let setup: Uint8Array | undefined;
/** What follows from SK_BEACON, made once: keys of MESSAGE C for AES and HMAC, or those of tokens. */
let keys: Uint8Array[] = [];
/** Seconds of the last token: none is made twice. */
let lastToken = -1;

/** Keeps what the hub has brought, in place of what was there (QB-13). */
export function setUp(bytes: Uint8Array): void {
  replaceSecret(SMARTBEACON_TAG, NEVER_COMES + nextSequence(), bytes);
  setup = undefined;
  keys = [];
}
/** What this beacon sends: B1, B2, B3; 0 where nobody has set it up. */
export function carrier(): number {
  if (!setup) {
    const found = findSecret(SMARTBEACON_TAG, SETUP_BYTES / 16);
    setup = found ? found.bytes : new Uint8Array(0);
  }
  return setup.length ? setup[CARRIER_AT] : 0;
}

function fragments(crypto: Crypto, type: number, message: Uint8Array): Uint8Array[] {
  const id = messageId(crypto, message);
  const all: Uint8Array[] = [];
  for (let i = 0; i < fragmentCount(message.length); i++) all.push(encodeAdvertisement(fragment(type, id, message, i)));
  return all;
}

/** Advertising data of the next message, to be sent in turn; none where it has nothing to say that is true (QB-14). `unix`: 0 while the clock is not set. */
export function makeMessage(crypto: Crypto, unix: number): Uint8Array[] {
  const kind = carrier();
  if (!setup || !kind) return [];
  const sk = setup.subarray(0, setup[SK_LENGTH_AT]);
  if (kind === COMPACT_TOKEN) {
    const now = Math.floor(unix || tick());
    // start and time never come together again: where the clock was set back by a little, that is waited for, and by much, this is a new start
    if (now + 60 < lastToken) load();
    if (era > MOST_STARTS || now <= lastToken) return [];
    lastToken = now;
    const status = (unix ? 0 : CLOCK_UNSET) | (NRF.getBattery() * 1000 < settings[LOW_BATTERY] ? BATTERY_LOW : 0);
    if (!keys.length) keys = tokenKeys(crypto, sk);
    return [encodeAdvertisement(sealToken(crypto, keys, setup.subarray(ID_AT, ID_AT + 16), { status: status, unix: now, boot: era }))];
  }
  if (!unix) return [];
  // fresh for each message, from the hardware (QB-08)
  const iv = crypto.randomBytes(16);
  if (kind === FERNET_FRAGMENT)
    return fragments(
      crypto,
      FERNET_FRAGMENT,
      sealFernet(crypto, sk, Math.floor(unix), iv, ascii(formatUtc(Math.floor(unix), Math.floor((unix % 1) * 1e6)))),
    );
  if (!keys.length) keys = setup[SINGLE_AT] ? [sk, sk] : [derivedKey(crypto, sk, MESSAGE_ENCRYPTION, 16), derivedKey(crypto, sk, MESSAGE_MAC, 32)];
  const encrypt = keys[0].length > 16 ? boardAes256 : crypto.aes128;
  const offset = ((setup[OFFSET_AT] | (setup[OFFSET_AT + 1] << 8)) << 16) >> 16;
  return fragments(crypto, MESSAGE_FRAGMENT, sealMessageC(crypto, encrypt, keys[0], keys[1], iv, ascii(formatTimestamp(Math.floor(unix), offset))));
}
