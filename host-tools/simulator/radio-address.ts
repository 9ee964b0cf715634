const ADDRESS = /^([\da-f]{2}):([\da-f]{2}):([\da-f]{2}):([\da-f]{2}):([\da-f]{2}):([\da-f]{2})/i;

/** The first byte's upper bits say that a random address is static; the interpreter prints every address that way. */
export function forceStatic(address: string): string {
  const bytes = ADDRESS.exec(address)!
    .slice(1)
    .map((byte) => Number.parseInt(byte, 16));
  bytes[0]! |= 0xc0;
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** `aa:bb:cc:dd:ee:ff`, and a type that Espruino knows. Source: Espruino after 2v29, bleVarToAddr. */
export function isAddress(text: string): boolean {
  return ADDRESS.test(text) && (text.length === 17 || /^ (public|random|private-resolvable|private-nonresolvable)/.test(text.slice(17)));
}

/** The address as a scanner will see it, or undefined where the stack refuses: private addresses, and random ones that are not static. */
export function acceptedAddress(text: string): string | undefined {
  const digits = text.slice(0, 17).toLowerCase();
  const type = text.slice(18);
  if (type === "" || type.startsWith("public")) return `${digits} public`;
  if (!type.startsWith("random")) return undefined;
  const bits = digits.replace(/:/g, "");
  const random = BigInt(`0x${bits}`) & 0x3fffffffffffn;
  const isStatic = Number.parseInt(bits.slice(0, 2), 16) >= 0xc0 && random !== 0n && random !== 0x3fffffffffffn;
  return isStatic ? `${digits} random` : undefined;
}
