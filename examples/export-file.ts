/**
 * Publishes two keys as a diagnosis server does, and reads them as a phone does.
 *
 *   node dist/examples/export-file.js
 */
import { readExport } from "../host-tools/exposure-keys/export-zip.ts";
import { makeExportZip } from "../host-tools/exposure-keys/make-export.ts";
import { newKeyPair, readPrivateKey, readPublicKey } from "../host-tools/exposure-keys/signature.ts";
import { nodeCrypto } from "../host-tools/node-crypto.ts";
import { isMatchable } from "../protocols/gaen/export-file.ts";

const midnight = Date.UTC(2026, 0, 5) / 1000;
const diagnosed = [0, 1].map((day) => ({
  key: nodeCrypto.randomBytes(16),
  transmissionRisk: 0,
  rollingStart: midnight / 600 + 144 * day,
  rollingPeriod: 144,
  reportType: 1,
  daysSinceOnset: day,
}));

const pair = newKeyPair();
const privateKey = readPrivateKey(pair.privatePem, "the authority's key");
const publication = { start: midnight + 3 * 86400, end: midnight + 4 * 86400, region: "XX" };
const zip = makeExportZip({ keys: diagnosed, ...publication, signers: [{ id: "310", version: "v1", privateKey }] });

// The phone has the public key from its app, not from the file.
const trusted = { id: "310", version: "v1", publicKey: readPublicKey(pair.publicPem, "the app's key") };
const { content, verifiedBy } = readExport(zip, [trusted]);
console.log(`${content.keys.length} keys for region ${content.region}, signed by ${verifiedBy?.id} ${verifiedBy?.version}`);
for (const key of content.keys.filter(isMatchable))
  console.log(`look for what was sent from interval ${key.rollingStart} on, ${key.rollingPeriod} intervals long`);
