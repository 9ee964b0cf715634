import { READS_PHONES } from "tracelet:build";
import { txPowerLevel } from "../../protocols/advertising-data.ts";
import { CHARACTERISTICS, SERVICES } from "../../protocols/bluetrace/advertisement.ts";
import { addressKey } from "../../protocols/bluetrace/blacklist.ts";
import {
  COMPACT_BYTES,
  compactTempId,
  encodeCompact,
  FIRST_CHARACTERISTIC,
  FIRST_PIECE,
  isCompact,
  SECOND_CHARACTERISTIC,
} from "../../protocols/bluetrace/compact.ts";
import { NO_POWER } from "../../protocols/log-format.ts";
import { listedUuid, uuidBytes } from "../../protocols/uuid128.ts";
import { linkTo } from "../gatt-client.ts";
import { keyOf, refuse, writeMeeting } from "./meetings.ts";
import { isMet, remember } from "./peers.ts";
import { readPhone } from "./phones.ts";
import { orgTag } from "./server.ts";
import { tempId } from "./temp-ids.ts";

// This board as a central: who is there, and the exchange with one of them. Who could be met is one number under its address: (RSSI + 128) * STRONGER + (power + 128) * 4 + service.

/** Peers of a scan at most; with 20 around nobody is left out. */
const MOST_PEERS = 32;
const STRONGER = 4096;
/** Of one that is left in peace: stronger than anybody. */
const LEFT_IN_PEACE = 1e9;
/** Peers that offer nothing we can read, and scans that the radio refused; since the start. */
export let unreadable = 0;
export let refusedScans = 0;

let peers: { [address: string]: number } = {};
let known = 0;
let uuids: Uint8Array[] = [];
let ended: () => void;

/** `again`: to be called when an exchange is over. */
export function installClient(again: () => void): void {
  ended = again;
}

function heard(device: Advertisement): void {
  const strength = (device.rssi + 128) * STRONGER;
  const before = peers[device.id];
  // a positive RSSI is the radio's word for "unknown"
  if (before >= strength || device.rssi > 0) return;
  if (before === undefined) {
    if (known === MOST_PEERS) return;
    const data = new Uint8Array(device.data);
    const service = listedUuid(data, uuids);
    if (service < 0) return;
    known++;
    const power = txPowerLevel(data);
    peers[device.id] = isMet(addressKey(device.id)) ? LEFT_IN_PEACE : strength + ((power === undefined ? NO_POWER : power) + 128) * 4 + service;
  } else peers[device.id] = strength + (before % STRONGER);
}

/** Begins to listen for others, or ends it. Answers whether the radio took it. */
export function listenForPeers(on: boolean): boolean {
  if (on) {
    peers = {};
    known = 0;
    if (!uuids.length)
      uuids = SERVICES.map(function (uuid) {
        return uuidBytes(uuid);
      });
  }
  try {
    NRF.setScan(on ? heard : undefined, {
      filters: SERVICES.map(function (uuid) {
        return { services: [uuid] };
      }),
    });
    return true;
  } catch (_e) {
    refusedScans++;
    return false;
  }
}

/** The strongest one that was heard, and no longer waits then; "" for none. */
function takeStrongest(): string {
  let strongest = "";
  for (const address in peers) if (peers[address] < LEFT_IN_PEACE && (!strongest || peers[address] > peers[strongest])) strongest = address;
  return strongest;
}

/** Connects to the next one, for `seconds` at most. False: nobody is left. */
export function exchangeWithNext(seconds: number): boolean {
  let address = takeStrongest();
  // it may have met us meanwhile
  while (address && isMet(addressKey(address))) {
    peers[address] = LEFT_IN_PEACE;
    address = takeStrongest();
  }
  if (!address) return false;
  const what = peers[address];
  const rssi = Math.floor(what / STRONGER) - 128;
  const own = encodeCompact(rssi, orgTag(), tempId!);
  const message = new Uint8Array(COMPACT_BYTES);
  let first: RemoteCharacteristic | undefined;
  let second: RemoteCharacteristic | undefined;
  let standard: RemoteCharacteristic | undefined;
  let whole = false;
  peers[address] = LEFT_IN_PEACE;
  /*@__INLINE__*/ linkTo(
    address,
    seconds,
    function (server) {
      remember(addressKey(address), 0);
      return server
        .getPrimaryService(SERVICES[what & 3])
        .then(function (found) {
          return found!.getCharacteristics();
        })
        .then(function (found) {
          for (let i = 0; i < found.length; i++) {
            if (found[i].uuid === FIRST_CHARACTERISTIC) first = found[i];
            if (found[i].uuid === SECOND_CHARACTERISTIC) second = found[i];
            if (READS_PHONES && found[i].uuid === CHARACTERISTICS[what & 3]) standard = found[i];
          }
          if (READS_PHONES && standard && !first && !second)
            return readPhone(standard, rssi, function (id) {
              compactTempId(message).set(id);
              whole = true;
            });
          if (!first || !second) {
            unreadable++;
            throw "unreadable";
          }
          return first.readValue();
        })
        .then(function (value) {
          const bytes = new Uint8Array(value.buffer);
          if (bytes.length === FIRST_PIECE) message.set(bytes);
          return second!.readValue();
        })
        .then(function (value) {
          const bytes = new Uint8Array(value.buffer);
          if (bytes.length === COMPACT_BYTES - FIRST_PIECE) message.set(bytes, FIRST_PIECE);
          else message[0] = 0;
          if (!isCompact(message, orgTag(), false)) {
            refuse();
            throw "refused";
          }
          const key = keyOf(compactTempId(message));
          if (isMet(key)) throw "met";
          remember(key, 0);
          whole = true;
          return first!.writeValue(own.subarray(0, FIRST_PIECE));
        })
        .then(function () {
          return second!.writeValue(own.subarray(FIRST_PIECE));
        });
    },
    function (met) {
      // nobody was there, or the radio refused: in peace for one cycle
      if (!met) remember(addressKey(address), 1);
      // the TempID is whole (BT-07), and the radio is free
      if (whole) writeMeeting(compactTempId(message), rssi, ((what >> 2) & 1023) - 128, 1);
      ended();
    },
  );
  return true;
}
