import type { DeviceStatus } from "../../protocols/device-link.ts";
import { PRIVATE_ADDRESS } from "../../protocols/settings.ts";
import { linkedWarning, spokenProtocols } from "../device/spoken-protocols.ts";

// What a board says of what it sends, of its address, if it transmits, and of its crypto; see `an`, `cr` and `sh` in protocols/device-link.ts.

const CRYPTO_BY: { [short: string]: string } = {
  in: "of the interpreter",
  sd: "of the chip, by way of its radio stack",
  th: "in machine code",
  js: "in software",
};

function cryptoBy(short: string): string {
  return CRYPTO_BY[short] ?? short;
}

/** What GAEN asks for is `nrpa`, a non-resolvable private address (GAEN-07); undefined where nothing is transmitted. */
export function addressConformance({ an }: Pick<DeviceStatus, "an">): "nrpa" | "static" | undefined {
  return an === undefined ? undefined : an ? "nrpa" : "static";
}

export function transmitterLines(status: Pick<DeviceStatus, "an" | "ad" | "c" | "cr" | "sh">): string[] {
  const kind = addressConformance(status);
  const why = kind === "static" && status.ad && status.c[PRIVATE_ADDRESS] ? "; the radio stack has given no private one" : "";
  return [
    ...(kind ? [`  address   address_conformance: ${kind}${why}`] : []),
    ...(status.cr ? [`  crypto    AES ${cryptoBy(status.cr)}${status.sh ? `, SHA-256 ${cryptoBy(status.sh)}` : ""}`] : []),
  ];
}

/** What a board speaks; nothing to say of one with GAEN alone. */
export function protocolLines(status: Pick<DeviceStatus, "pr" | "r" | "c">): string[] {
  const { built, sent, linked } = spokenProtocols(status);
  if (!status.pr) return [];
  return [`  protocols ${built.join(", ")}; sent: ${sent.join(", ") || "none"}`, ...(linked ? [`            LINKED: ${linkedWarning(sent)}`] : [])];
}
