import { BLUETRACE_TAG, CT10_TAG, DP3T_TAG, DP3T_UNLINKABLE_TAG, GAEN_TAG, OPENCOVIDTRACE_TAG, SMARTBEACON_TAG } from "../protocols/protocol-tags.ts";
import type { BoardFacts } from "./board-facts.ts";
import { BOARDS } from "./index.ts";

/** What a firmware does on the radio. */
export interface Role {
  /** Transmits identifiers of its own. */
  advertise: boolean;
  /** Listens and keeps a log of what it heard. */
  scan: boolean;
  what: string;
  /** Meets others by connections: one of BlueTrace. */
  connects?: boolean;
  /** Settings that are usual for it. */
  settings?: { [name: string]: number };
}

export const ROLES: { [name: string]: Role } = {
  wearable: { advertise: true, scan: true, what: "worn by a person: transmits and logs encounters" },
  beacon: { advertise: true, scan: false, what: "fixed or worn: transmits only" },
  scanner: { advertise: false, scan: true, what: "fixed: logs encounters only" },
  smartbeacon: {
    advertise: true,
    scan: false,
    what: "SmartBeacon, on a wall: sends messages that prove to the owner of its key who was near it",
    settings: { advertisingInterval: 100 },
  },
  collector: {
    advertise: false,
    scan: true,
    what: "hears SmartBeacons and keeps their messages for upload, as a phone would",
    settings: { cycleTime: 30, scanTime: 4 },
  },
  token: {
    advertise: true,
    scan: true,
    connects: true,
    what: "BlueTrace, worn by a person: exchanges TempIDs with others by connections, and logs them",
    settings: { cycleTime: 44, scanTime: 8, retention: 21 },
  },
};

/** A protocol that firmware can be built with. */
export interface Protocol {
  title: string;
  /** Number in records and settings. */
  tag: number;
  what: string;
}

/** Crypto is no question: what the interpreter lacks the firmware brings (firmware/crypto). */
export const PROTOCOLS: { [name: string]: Protocol } = {
  gaen: { title: "GAEN", tag: GAEN_TAG, what: "Exposure Notification v1.2" },
  dp3t: { title: "DP-3T", tag: DP3T_TAG, what: "DP-3T, low-cost design" },
  "dp3t-unlinkable": { title: "DP-3T unlinkable", tag: DP3T_UNLINKABLE_TAG, what: "DP-3T, unlinkable design" },
  smartbeacon: {
    title: "SmartBeacon",
    tag: SMARTBEACON_TAG,
    what: "SmartBeacon of the quarantine system: sent by its own role, collected by roles that scan",
  },
  bluetrace: { title: "BlueTrace", tag: BLUETRACE_TAG, what: "BlueTrace v2, spoken by its own role" },
  opencovidtrace: {
    title: "OpenCovidTrace",
    tag: OPENCOVIDTRACE_TAG,
    what: "OpenCovidTrace: identifiers are read over connections, and those of others after each scan",
  },
  ct10: {
    title: "Contact Tracing v1.0",
    tag: CT10_TAG,
    what: "Contact Tracing v1.0 of April 2020, historical: heard, and sent only when asked for (setting transmit)",
  },
};

/** What a bundle has beside its role unless it is built without: each takes room. */
export const FEATURES: { [name: string]: string } = {
  proof: "proof of beaconing: the hub can have advertisements confirmed by who hears them",
  gatt: "connections of DP-3T: phones that don't send their identifier are asked for it, and its own is offered",
  lock: "a key without which the board gives nobody a console",
};

/** Features that are left out unless they are asked for: who may speak with a board changes, and it starts a quarter of a second later. */
export const ON_DEMAND = ["lock", "gatt"];

/** Pages a log needs: one for its head, two for the ring, of which one may be empty. Keys and settings are kept there too, so every role has one. */
export const LEAST_LOG_PAGES = 3;

/**
 * Why `facts` can't be a `role` for `protocols`, in one sentence that says what would do, or `undefined` if it can.
 * The size of the code isn't known here: a page is assumed, and the generator measures.
 */
export function refusal(facts: BoardFacts, role: string, protocols: string[]): string | undefined {
  const roles = Object.keys(ROLES);
  const known = Object.keys(PROTOCOLS);
  if (roles.indexOf(role) < 0) return "No role is called " + role + "; known: " + roles.join(", ") + ".";
  if (protocols.length === 0) return "No protocol is named; known: " + known.join(", ") + ".";
  for (let i = 0; i < protocols.length; i++) {
    if (known.indexOf(protocols[i]) < 0) return "No protocol is called " + protocols[i] + "; known: " + known.join(", ") + ".";
  }
  if (protocols.indexOf("opencovidtrace") >= 0 && isOnlyConsole(facts) && ROLES[role].advertise) return noGuests(facts, "opencovidtrace", role);
  if (protocols.indexOf("dp3t") >= 0 && protocols.indexOf("dp3t-unlinkable") >= 0)
    return "dp3t and dp3t-unlinkable don't go together: on the air they can't be told apart, and what is heard is kept in another form; choose one.";
  if (role === "token") {
    if (protocols.length > 1 || protocols[0] !== "bluetrace")
      return "A token speaks bluetrace and nothing else: its connections stop every scan, so whatever else it listened for would be missed.";
    if (facts.console.device === "Terminal")
      return facts.name + " can't be a token: strangers connect to one, and its only console is Bluetooth; for a token take " + withPins() + ".";
  } else if (protocols.indexOf("bluetrace") >= 0)
    return "A " + role + " can't speak bluetrace: it meets others by connections, which stop the scan of all protocols; take the role token.";
  const isSmart = protocols.indexOf("smartbeacon") >= 0;
  if (role === "smartbeacon" || role === "collector") {
    if (!isSmart || protocols.length > 1)
      return "A " + role + " speaks smartbeacon and nothing else; beside other protocols messages are collected by a wearable or a scanner.";
  } else if (isSmart && !ROLES[role].scan) return "A " + role + " can't send smartbeacon's messages; take the role smartbeacon.";
  else if (isSmart && ROLES[role].advertise && protocols.length < 2)
    return "A " + role + " of smartbeacon alone would have nothing to send; take the role collector or smartbeacon.";
  const reason = obstacle(facts);
  return reason && facts.name + " can't be a " + role + ": " + reason + "; " + wayOut(facts, role) + ".";
}

/** Why this board can't take a setting that the rules of protocols/settings.ts allow in general, or `undefined` if it can. */
export function settingRefusal(facts: BoardFacts, name: string, value: number): string | undefined {
  const limits = facts.advertising;
  if (name === "txPower" && facts.txPowers.indexOf(value) < 0) {
    return name + ": " + facts.name + " does " + facts.txPowers.join(", ") + " dBm, got " + value;
  }
  if (name === "advertisingInterval" && (value < limits.minimumNonConnectableMs || value > limits.maximumMs)) {
    return name + ": " + facts.name + " does " + limits.minimumNonConnectableMs + " to " + limits.maximumMs + " ms, got " + value;
  }
  return undefined;
}

/** Why this board can't have a feature, or `undefined` if it can. */
export function featureRefusal(facts: BoardFacts, feature: string, role = "", protocols: string[] = []): string | undefined {
  if (feature === "gatt" && role) {
    if (protocols.indexOf("dp3t") < 0 && protocols.indexOf("dp3t-unlinkable") < 0)
      return "The feature gatt is for dp3t and dp3t-unlinkable; opencovidtrace connects without it, and the others never do";
    if (isOnlyConsole(facts) && ROLES[role].advertise) return noGuests(facts, "dp3t with the feature gatt", role).slice(0, -1);
  }
  // the key is looked for in memory-mapped flash, and the recovery that guards it is not run by a watch whose button is held (docs/bangle2.md)
  if (feature === "lock" && !facts.storage.internal)
    return facts.name + " can't have the lock: its Storage is a chip of its own, which anybody can read";
  return undefined;
}

/** Does a firmware connect to others for their identifiers, where it scans, and let them read its own, where it sends? */
export function connectsForIdentifiers(protocols: string[], features: string[]): boolean {
  return protocols.indexOf("opencovidtrace") >= 0 || features.indexOf("gatt") >= 0;
}

function isOnlyConsole(facts: BoardFacts): boolean {
  return facts.console.device === "Terminal";
}
function noGuests(facts: BoardFacts, what: string, role: string): string {
  return (
    facts.name +
    " can't send " +
    what +
    ": strangers connect to who does, and its only console is Bluetooth; as a " +
    role +
    " take " +
    withPins() +
    "."
  );
}

function obstacle(facts: BoardFacts): string | undefined {
  // one more page for the code
  if (facts.storage.pages < LEAST_LOG_PAGES + 1) return "beside the code its Storage has no room for a log of " + LEAST_LOG_PAGES + " pages";
  return undefined;
}

/**
 * Can a token of this board read a phone's packet (BlueTrace)? It has 114 characters beside its model and authority, and a read answers MTU - 1 bytes: 130 with S140 6.1.1, 52 with S132.
 * Of the boards that can be one it is the nRF52840DK.
 */
export function readsPhones(facts: BoardFacts, role: string): boolean {
  return ROLES[role].connects === true && facts.gatt.mtu > 120;
}

/** Boards whose console needs no Bluetooth. */
function withPins(): string {
  const names: string[] = [];
  for (let i = 0; i < BOARDS.length; i++)
    if (BOARDS[i].console.device !== "Terminal" && obstacle(BOARDS[i]) === undefined) names.push(BOARDS[i].name);
  return names.join(" or ");
}

/** The boards that can fill `role`. */
function wayOut(facts: BoardFacts, role: string): string {
  const boards: string[] = [];
  for (let i = 0; i < BOARDS.length; i++) {
    if (BOARDS[i].id !== facts.id && obstacle(BOARDS[i]) === undefined) boards.push(BOARDS[i].name);
  }
  return boards.length > 0 ? "for a " + role + " take " + boards.join(" or ") : "no board we know can do it";
}
