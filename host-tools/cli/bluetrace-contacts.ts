import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { readAuthorityKey } from "../bluetrace/authority-file.ts";
import { recordSeconds } from "../bluetrace/records.ts";
import { judgeUpload } from "../bluetrace/upload.ts";
import { ConfigError, FormatError } from "../errors.ts";
import { attenuation } from "../matching/sighting-rules.ts";
import { CLOSE_CONTACT, type ContactDay, closeContacts, type OpenedRecord } from "../risk/close-contact.ts";
import { createOutput } from "./output.ts";

// `tracelet bluetrace contacts`: what a health authority learns of an upload.

const DAY = 86_400;

/** What a refusal means, and what to do. */
const REFUSALS: Record<string, string> = {
  expired: "its upload token is more than two hours old; let the patient upload again",
  "bad-code": "its upload token has no upload code; it was made by another program",
  invalid: "no key opens its upload token; is it another authority's?",
};

export interface ContactsOfUpload {
  uid: string;
  uploadCode: string;
  days: ContactDay[];
  recordsReceived: number;
  /** Records that count for no contact. */
  leftOut: { malformed: number; tooOld: number; invalid: number; foreign: number; powerUnknown: number };
}

/** Who was near the patient of an upload. @throws FormatError "bad_upload" */
export function contactsOfUpload(text: string, name: string, key: Uint8Array, authority: string, now: number): ContactsOfUpload {
  const report = judgeUpload(text, { keys: [key], own: authority, known: [], now });
  if (report.status === "ERROR") throw new FormatError("bad_upload", `${name} is refused: ${REFUSALS[report.reason] ?? report.reason}`);
  const leftOut = { malformed: report.malformed.length, tooOld: report.tooOld.length, invalid: 0, foreign: 0, powerUnknown: 0 };
  const opened: OpenedRecord[] = [];
  for (const { route, record, verdict } of report.records) {
    if (route !== "local") leftOut.foreign++;
    else if (!verdict?.isValid || verdict.contactId === undefined) leftOut.invalid++;
    else if (record.txPower === undefined) leftOut.powerUnknown++;
    else
      opened.push({
        contact: verdict.contactId,
        heardAt: Math.floor(recordSeconds(record.timestamp)),
        attenuation: attenuation(record.txPower, record.rssi),
      });
  }
  const { uid, uploadCode, recordsReceived } = report;
  return { uid, uploadCode, days: closeContacts(opened), recordsReceived, leftOut };
}

function describe({ uid, uploadCode, days, recordsReceived, leftOut }: ContactsOfUpload): string {
  const apart = [
    [leftOut.malformed, "malformed"],
    [leftOut.tooOld, "older than 21 days"],
    [leftOut.invalid, "with a TempID that can't be opened or was over"],
    [leftOut.foreign, "of other authorities"],
    [leftOut.powerUnknown, "without transmit power"],
  ] as const;
  const close = days.filter(({ isClose }) => isClose).length;
  return [
    `upload of user ${uid}, code ${uploadCode}: ${recordsReceived} records, ${close} of ${days.length} days with a contact were close`,
    ...days.map(
      ({ contact, day, records, seconds, isClose }) =>
        `  ${new Date(day * DAY * 1000).toISOString().slice(0, 10)}  ${contact}  ${Math.round(seconds / 60)} min near, ${records} records${isClose ? ": close contact" : ""}`,
    ),
    ...apart.flatMap(([count, what]) => (count > 0 ? [`${count} records left out: ${what}`] : [])),
    `Close is from ${CLOSE_CONTACT.fromSeconds / 60} min a day below ${CLOSE_CONTACT.attenuationBelow} dB on: docs/risk.md says why.`,
  ].join("\n");
}

function readUpload(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ConfigError("no_file", `${file} can't be read: ${(cause as NodeJS.ErrnoException).code}; it should be a patient's upload`, { cause });
  }
}

export function addContacts(group: Command): void {
  group
    .command("contacts")
    .description("tell whom an upload names as close contacts, as a health authority does")
    .argument("<file>", "the upload, as `bluetrace export` writes it with a token")
    .requiredOption("--key-file <file>", "the authority's key")
    .requiredOption("--authority <name>", "the authority's name in records (HAI)")
    .option("--json", "one JSON document instead of text")
    .addHelpText("after", "\nExample:\n  tracelet bluetrace contacts upload.json --key-file authority.key --authority QX_HAI")
    .action((file: string, { keyFile, authority, json }: { keyFile: string; authority: string; json?: boolean }) => {
      const text = readUpload(file);
      const key = readAuthorityKey(keyFile);
      try {
        const found = contactsOfUpload(text, file, key, authority, Math.floor(Date.now() / 1000));
        createOutput(json === true).result(found, describe(found));
      } finally {
        key.fill(0);
      }
    });
}
