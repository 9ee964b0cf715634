import { expect, test } from "vitest";
import { aesDecrypt, nodeCrypto } from "../../host-tools/node-crypto.ts";
import { decodeBase64Url } from "../../protocols/base64.ts";
import { openFernet, openFernetText } from "../../protocols/fernet/token.ts";
import { fromHex, loadVectors, toHex } from "../support/vectors.ts";
import { ensure, fuzz } from "./fuzz.ts";

const vectors = loadVectors("fernet.json");
const octets = (text: string) => Uint8Array.from(Buffer.from(text, "latin1"));
const [{ secret, now }] = vectors.verify;
const key = decodeBase64Url(secret)!;
// official tokens are of one key; those that open without regard to their age
const good = new Map<string, string>(
  vectors.verify
    .filter((row) => row.secret === secret)
    .map((row) => [row.token, openFernetText(nodeCrypto, aesDecrypt, key, row.token, now, undefined)] as const)
    .filter((entry): entry is [string, Uint8Array] => typeof entry[1] !== "string")
    .map(([token, message]) => [token, toHex(message)]),
);

test("Fernet texts: only what was sealed is opened, in its one spelling (FER-02, FER-03)", () => {
  let opened = 0;
  fuzz(
    vectors.verify.map(({ token }) => octets(token)),
    130,
    (input) => {
      const text = Buffer.from(input).toString("latin1");
      const message = openFernetText(nodeCrypto, aesDecrypt, key, text, now, undefined);
      if (typeof message === "string") return;
      opened++;
      ensure(good.get(text) === toHex(message), "opened what was never sealed");
    },
  );
  expect(opened).toBeGreaterThan(0);
});

test("Fernet tokens: only what was sealed is opened, and none too old or too early (FER-02, FER-04)", () => {
  const raw = new Map([...good].map(([token, message]) => [toHex(decodeBase64Url(token)!), message]));
  let opened = 0;
  fuzz([...raw.keys()].map(fromHex), 120, (input, draw) => {
    const at = now - 100 + draw(300);
    const message = openFernet(nodeCrypto, aesDecrypt, key, input, at, 60);
    if (typeof message === "string") return;
    opened++;
    ensure(raw.get(toHex(input)) === toHex(message), "opened what was never sealed");
    const made = Number(Buffer.from(input).readBigUInt64BE(1));
    ensure(made <= at + 60 && made + 60 >= at, "too old or too early");
  });
  expect(opened).toBeGreaterThan(0);
});
