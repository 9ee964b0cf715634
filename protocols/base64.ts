const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base64 with padding. Source: RFC 4648, section 4. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    // past the end is undefined, which the shifts take for zero
    const bits = (bytes[i] << 16) | (bytes[i + 1] << 8) | bytes[i + 2];
    text += ALPHABET[bits >> 18] + ALPHABET[(bits >> 12) & 63];
    text += i + 1 < bytes.length ? ALPHABET[(bits >> 6) & 63] : "=";
    text += i + 2 < bytes.length ? ALPHABET[bits & 63] : "=";
  }
  return text;
}

/** The bytes of a base64 text in the one form that `encodeBase64` gives: with padding, without blanks, spare bits zero. `undefined` for any other text. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const padding = text.indexOf("=");
  const bytes = new Uint8Array(Math.floor(((padding < 0 ? text.length : padding) * 3) / 4));
  for (let i = 0, at = 0; i < text.length; i += 4, at += 3) {
    let bits = 0;
    for (let digit = 0; digit < 4; digit++) bits = (bits << 6) | (ALPHABET.indexOf(text[i + digit]) & 63);
    bytes[at] = bits >> 16;
    bytes[at + 1] = bits >> 8;
    bytes[at + 2] = bits;
  }
  // whatever stood there instead of a digit comes out as another one
  return encodeBase64(bytes) === text ? bytes : undefined;
}

/** The same with `-` and `_` for `+` and `/`. Source: RFC 4648, section 5. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).split("+").join("-").split("/").join("_");
}

/** The bytes of such a text, as strictly as `decodeBase64`: a `+` or a `/` is foreign to it. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  return /[+/]/.test(text) ? undefined : decodeBase64(text.split("-").join("+").split("_").join("/"));
}
