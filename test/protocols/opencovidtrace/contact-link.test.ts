import { expect, test } from "vitest";
import { type ContactLink, decodeContactLink, encodeContactLink, isLinkValid } from "../../../protocols/opencovidtrace/contact-link.ts";
import { loadVectors } from "../../support/vectors.ts";

const vectors = loadVectors("opencovidtrace.json");
const row = vectors.qr[0];
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const link: ContactLink = { platform: row.platform, token: row.token, payload: bytes(row.payload_b64), key: bytes(row.key_b64), time: row.t };

test.each(vectors.qr)("a link of $t, read at $now: $valid (OCT-09)", ({ platform, token, payload_b64, key_b64, t, link: text, now, valid }) => {
  const contact = { platform, token, payload: bytes(payload_b64), key: bytes(key_b64), time: t };
  expect(encodeContactLink(contact)).toBe(text);
  expect(decodeContactLink(text)).toEqual(contact);
  expect(isLinkValid(contact.time, now)).toBe(valid);
});

test("a link is read by names, in any order, behind any host, with what it doesn't know (OCT-09)", () => {
  const [path, query] = row.link.split("?");
  const parts = query.split("&");
  expect(decodeContactLink(`https://example.org/${path}?x=1&${parts.reverse().join("&")}&&y`)).toEqual(link);
});

test.each([
  ["no link", "hello"],
  ["another path", row.link.replace("contact", "login")],
  ["a path that only ends so", "no" + row.link],
  ["a name missing", row.link.replace("&d=", "&e=")],
  ["a name twice", row.link + "&p=a"],
  ["another platform", row.link.replace("p=a", "p=b")],
  ["an empty token", row.link.replace(/d=[^&]*/, "d=")],
  ["a payload of 33 bytes", encodeContactLink({ ...link, payload: new Uint8Array(33) })],
  ["a key of 15 bytes", encodeContactLink({ ...link, key: new Uint8Array(15) })],
  ["an escape that is none", row.link.replace("%3A", "%3G")],
  ["half an escape", row.link.replace("%3D&k", "%3&k")],
  ["an escape for a line end", row.link.replace("%3A", "%0A")],
  ["a time with letters", row.link + "x"],
  ["a time before 1970", row.link.replace("t=1", "t=-1")],
  ["no end of text", row.link.replace("d=", `d=${"x".repeat(1024)}`)],
])("refused: %s (OCT-09, COM-03)", (_, text) => {
  expect(decodeContactLink(text)).toBeUndefined();
});
