/**
 * What a device sends on one morning: from today's key to the bytes on the air, and back.
 *
 *   node dist/examples/key-schedule.js
 */
import { nodeCrypto } from "../host-tools/node-crypto.ts";
import { decodeAdvertisement, encodeAdvertisement, FLAGS } from "../protocols/gaen/advertisement.ts";
import {
  intervalNumber,
  metadataKey,
  rollingProximityIdentifier,
  rollingProximityIdentifierKey,
  rollingStart,
} from "../protocols/gaen/key-schedule.ts";
import { decodeMetadata, decryptMetadata, encodeMetadata, encryptMetadata } from "../protocols/gaen/metadata.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

// The example key of the specification. A device draws its own: nodeCrypto.randomBytes(16).
const tek = new Uint8Array(Buffer.from("75c734c6dd1a782de7a965da5eb93125", "hex"));
const now = Date.UTC(2020, 3, 2, 0, 5) / 1000;

const interval = intervalNumber(now);
console.log(`interval ${interval}, key in use since interval ${rollingStart(interval)}`);

const rpik = rollingProximityIdentifierKey(nodeCrypto, tek);
const aemk = metadataKey(nodeCrypto, tek);
const rpi = rollingProximityIdentifier(nodeCrypto, rpik, interval);
const aem = encryptMetadata(nodeCrypto, aemk, rpi, encodeMetadata(8));
const packet = encodeAdvertisement(rpi, aem, FLAGS);
console.log(`on the air: ${hex(packet)}`);

// A stranger hears this, and nothing more. Days later the key is published: now the metadata opens.
const heard = decodeAdvertisement(packet);
if (!heard) throw new Error("not a GAEN packet");
console.log(`identifier: ${hex(heard.rpi)}`);
console.log(`sent with ${decodeMetadata(decryptMetadata(nodeCrypto, aemk, heard.rpi, heard.aem)).txPower} dBm`);
