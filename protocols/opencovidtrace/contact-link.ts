import { decodeBase64, encodeBase64 } from "../base64.ts";
import { PAYLOAD_BYTES } from "./payload.ts";

// A QR code that hands a contact over where no radio is: app/contact?p=platform&d=push token&r=payload&k=key&t=ms. Source: octrace-android.
// r is base64 of the shown device's 32 bytes, k of 16 fresh ones, under which the scanner's answer comes back. The link holds a push token and a key: it is never logged (COM-06).

const PATH = "app/contact?";
/** How far the clocks of both may be apart, ms. */
const VALID_MS = 60000;
/** How long the shown device keeps k, ms (OCT-09). */
export const KEY_LIFETIME_MS = 120000;
/** Longest link that is looked at; one of phones has about 300 characters. */
export const MOST_LINK_CHARACTERS = 1024;

export interface ContactLink {
  /** `i` or `a`: whose push service the token is for. */
  platform: string;
  token: string;
  /** 32 bytes. */
  payload: Uint8Array;
  /** 16 bytes. */
  key: Uint8Array;
  /** Unix milliseconds. */
  time: number;
}

/** The link, without what stands before the path. */
export function encodeContactLink(link: ContactLink): string {
  const escaped = encodeURIComponent;
  const payload = escaped(encodeBase64(link.payload));
  return PATH + "p=" + link.platform + "&d=" + escaped(link.token) + "&r=" + payload + "&k=" + escaped(encodeBase64(link.key)) + "&t=" + link.time;
}

/** Text without %XX; `undefined` if one is none, or stands for anything but visible ASCII. */
function unescaped(text: string): string | undefined {
  const pieces = text.split("%");
  let plain = pieces[0];
  for (let i = 1; i < pieces.length; i++) {
    const digits = pieces[i].substr(0, 2).toLowerCase();
    const code = parseInt(digits, 16);
    if ((code + 256).toString(16).substr(1) !== digits || code < 33 || code > 126) return undefined;
    plain += String.fromCharCode(code) + pieces[i].substr(2);
  }
  return plain;
}

/** Reads a link by the names of its parts, in any order, whatever stands before its path; `undefined` for anything else. */
export function decodeContactLink(text: string): ContactLink | undefined {
  const path = text.indexOf(PATH);
  if (path < 0 || text.length > MOST_LINK_CHARACTERS) return undefined;
  // the path stands at the beginning, or behind whose it is
  if (path > 0 && text[path - 1] !== "/") return undefined;
  const values: string[] = [];
  const parts = text.substr(path + PATH.length).split("&");
  for (let i = 0; i < parts.length; i++) {
    const name = "pdrkt".indexOf(parts[i][0]);
    if (name < 0 || parts[i][1] !== "=") continue;
    const value = unescaped(parts[i].substr(2));
    // twice the same name: which of them is meant can't be known
    if (!value || values[name] !== undefined) return undefined;
    values[name] = value;
  }
  for (let i = 0; i < 5; i++) if (values[i] === undefined) return undefined;
  const payload = decodeBase64(values[2]);
  const key = decodeBase64(values[3]);
  const time = parseInt(values[4], 10);
  if ((values[0] !== "i" && values[0] !== "a") || !payload || payload.length !== PAYLOAD_BYTES || !key || key.length !== 16) return undefined;
  if ("" + time !== values[4] || time < 0) return undefined;
  return { platform: values[0], token: values[1], payload: payload, key: key, time: time };
}

/** Is a link shown at `time` still good? Both in Unix milliseconds. */
export function isLinkValid(time: number, now: number): boolean {
  return Math.abs(now - time) <= VALID_MS;
}
