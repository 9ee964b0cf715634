import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { FormatError } from "../errors.ts";

/** A public key that a reader trusts, and the names under which files refer to it. */
export interface TrustedKey {
  version: string;
  id: string;
  publicKey: KeyObject;
}

/** A private key that signs files, and its names. */
export interface SigningKey {
  version: string;
  id: string;
  privateKey: KeyObject;
}

/** ECDSA P-256 over SHA-256 of the whole of export.bin, header included; DER (GAEN-20). The nonce is drawn, so every call gives another signature. */
export function signExport(file: Uint8Array, privateKey: KeyObject): Uint8Array {
  return new Uint8Array(sign("sha256", file, { key: privateKey, dsaEncoding: "der" }));
}

/** Is `signature` (DER) that of `file`? Any bytes may be given. */
export function verifyExport(file: Uint8Array, signature: Uint8Array, publicKey: KeyObject): boolean {
  try {
    return verify("sha256", file, { key: publicKey, dsaEncoding: "der" }, signature);
  } catch {
    // OpenSSL refuses some malformed signatures with an error instead of a no.
    return false;
  }
}

/** A fresh pair for signing, as PEM: PKCS#8 and SPKI. */
export function newKeyPair(): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { privatePem: privateKey, publicPem: publicKey };
}

/** Reads a private key as PEM. `from`: what to call it in an error. */
export function readPrivateKey(pem: string, from: string): KeyObject {
  try {
    return onP256(createPrivateKey(pem));
  } catch (cause) {
    // The cause is left out on purpose: nothing of a private key's file belongs in a message or a log.
    const detail = cause instanceof WrongCurve ? "is not on the curve P-256" : "is no private key in PEM";
    throw new FormatError("bad_key", `${from} ${detail}. Make one with: tracelet keys make --new-key NAME`);
  }
}

/** Reads a public key as PEM, or as the base64 of its SPKI, as servers publish it. `from`: what to call it in an error. */
export function readPublicKey(text: string, from: string): KeyObject {
  try {
    const isPem = text.includes("-----BEGIN");
    // A private key would do as well, its public half is inside; but then it lies about in a place for public ones.
    if (isPem && text.includes("PRIVATE KEY")) throw new PrivateHalf();
    return onP256(isPem ? createPublicKey(text) : createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" }));
  } catch (cause) {
    let detail = "is no public key in PEM or base64 SPKI";
    if (cause instanceof WrongCurve) detail = "is not on the curve P-256";
    if (cause instanceof PrivateHalf) detail = "is a private key, a public one is wanted";
    throw new FormatError("bad_key", `${from} ${detail}. The public half of a pair ends in .public.pem.`);
  }
}

class WrongCurve extends Error {}
class PrivateHalf extends Error {}

function onP256(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new WrongCurve();
  return key;
}
