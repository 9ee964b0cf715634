import { expect, test } from "vitest";
import { openContact } from "../../host-tools/opencovidtrace/contact-secret.ts";
import { decodeBase64, encodeBase64 } from "../../protocols/base64.ts";
import { isAdvertisement, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { decodeContactLink, encodeContactLink } from "../../protocols/opencovidtrace/contact-link.ts";
import { decodePayload } from "../../protocols/opencovidtrace/payload.ts";
import { formatUuid, listedUuid, parseUuid } from "../../protocols/uuid128.ts";
import { fromHex, loadVectors, toHex } from "../support/vectors.ts";
import { ensure, fuzz } from "./fuzz.ts";

const vectors = loadVectors("opencovidtrace.json");
const adverts = loadVectors("ble_adverts.json");
const octets = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));

test("payloads: 32 bytes are one, nothing else is (OCT-01, COM-03)", () => {
  fuzz(
    [...vectors.payload, ...vectors.payload_bad].map(({ value }) => fromHex(value)),
    64,
    (input) => {
      const payload = decodePayload(input);
      ensure((payload !== undefined) === (input.length === 32), "another length");
      if (payload) ensure(toHex(payload.rollingId) + toHex(payload.meta) === toHex(input), "another reading");
    },
  );
});

test("advertisements: never without the service in a list, never the UART's (BLE-11, OCT-04)", () => {
  const service = parseUuid(SERVICE)!;
  const uart = parseUuid("6e400001-b5a3-f393-e0a9-e50e24dcca9e")!;
  let accepted = 0;
  fuzz(
    [...adverts.accept, ...adverts.reject].map(({ hex }) => fromHex(hex)),
    31,
    (input) => {
      if (!isAdvertisement(input, service)) return;
      accepted++;
      ensure(toHex(input).includes(toHex(service)), "a service that isn't there");
      ensure(listedUuid(input, [uart]) < 0 || input.length > 31, "the UART's");
    },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("links from any QR code: what is accepted has its lengths and comes back as it was (OCT-09, COM-03)", () => {
  let accepted = 0;
  fuzz(
    vectors.qr.flatMap(({ link }) => [octets(link), octets(`https://example.org/${link}&x=y`)]),
    300,
    (input) => {
      const link = decodeContactLink(Buffer.from(input).toString("latin1"));
      if (!link) return;
      accepted++;
      ensure(input.length <= 1024 && link.payload.length === 32 && link.key.length === 16, "lengths");
      ensure((link.platform === "i" || link.platform === "a") && link.token !== "" && Number.isInteger(link.time) && link.time >= 0, "fields");
      const again = decodeContactLink(encodeContactLink(link));
      if (/^[!-~]*$/.test(link.token))
        ensure(
          again !== undefined && again.token === link.token && again.time === link.time && toHex(again.key) === toHex(link.key),
          "another link comes back",
        );
    },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("secrets from any push message (OCT-09)", () => {
  const { key, secret_b64 } = vectors.make_contact[0];
  fuzz([octets(secret_b64)], 60, (input) => {
    const text = Buffer.from(input).toString("latin1");
    const opened = openContact(fromHex(key), text);
    if (opened) ensure(Buffer.from(text, "base64").length === 32 && opened.rollingId.length === 16 && opened.meta.length === 16, "another length");
  });
});

test("base64 and UUIDs: what is accepted has one spelling (COM-03)", () => {
  const rows = loadVectors("primitives.json").base64.map(({ b64 }) => octets(b64));
  fuzz([...rows, octets(SERVICE)], 50, (input) => {
    const text = Buffer.from(input).toString("latin1");
    const bytes = decodeBase64(text);
    if (bytes) ensure(encodeBase64(bytes) === text && bytes.length <= text.length, "another text comes back");
    const uuid = parseUuid(text);
    if (uuid) ensure(formatUuid(uuid) === text.toLowerCase(), "another UUID comes back");
  });
});
