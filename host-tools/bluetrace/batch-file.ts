import { crc32 } from "node:zlib";
import * as z from "zod";
import { isPlainText, MOST_MODEL_CHARACTERS } from "../../protocols/bluetrace/packet.ts";
import { encodeTempId, packTempId, TEMP_ID_RECORD } from "../../protocols/bluetrace/temp-id.ts";
import {
  CHECK_AT,
  CHECKED_FROM,
  COUNT_AT,
  MODEL_AT,
  MODEL_LENGTH_AT,
  MOST_ORG_CHARACTERS,
  ORG_AT,
  ORG_LENGTH_AT,
  pageBytesOf,
  REFRESH_AT,
  SERVICE_AT,
  TEMP_ID_MAGIC,
  TEMP_ID_PAGES,
  TEMP_IDS_AT,
  TEMP_IDS_OF_PAGE,
} from "../../protocols/bluetrace/temp-id-page.ts";
import { ConfigError } from "../errors.ts";
import { readSecretJson } from "../secret-file.ts";
import type { TempIdBatch } from "./temp-ids.ts";

// A batch of TempIDs on its way from the authority to a board. Who has them can pass for the board as long as they last: they stand in no message of ours.

const seconds = z.number().int().min(0).max(0xffffffff);
const shape = z.object({
  tempIDs: z.array(z.object({ tempID: z.string(), startTime: seconds, expiryTime: seconds })).min(1),
  refreshTime: seconds,
});
/** What a board takes. */
export const MOST_TEMP_IDS = TEMP_ID_PAGES * TEMP_IDS_OF_PAGE;

/** What a board says of itself beside the TempID. */
export interface TokenIdentity {
  /** Name of the health authority, 1 to 31 plain ASCII characters: HAI. */
  org: string;
  /** 1 to 32 plain ASCII characters that tell nothing about the owner (BT-12). */
  model: string;
  /** Index into SERVICES of protocols/bluetrace/advertisement.ts. */
  service: number;
}

/** A server's answer, or what `tracelet bluetrace batch` wrote. @throws ConfigError "no_file", "bad_batch"; neither tells a TempID */
export function readBatch(file: string): TempIdBatch {
  const batch = parseBatch(readSecretJson(file, "it must hold an authority's batch of TempIDs"));
  if (!batch)
    throw new ConfigError(
      "bad_batch",
      `${file} is no batch of TempIDs: one JSON object {"tempIDs": [{"tempID": 84 base64 characters, "startTime": seconds, "expiryTime": seconds}], "refreshTime": seconds}, with 1 to ${MOST_TEMP_IDS} TempIDs`,
    );
  return batch;
}

function parseBatch(json: unknown): TempIdBatch | undefined {
  const parsed = shape.safeParse(json);
  if (!parsed.success || parsed.data.tempIDs.length > MOST_TEMP_IDS) return undefined;
  const fits = parsed.data.tempIDs.every(({ tempID, startTime, expiryTime }) => packTempId(tempID) !== undefined && startTime <= expiryTime);
  return fits ? parsed.data : undefined;
}

/** @throws ConfigError "bad_identity" */
export function checkIdentity({ org, model }: TokenIdentity): void {
  if (!isPlainText(org, MOST_ORG_CHARACTERS))
    throw new ConfigError("bad_identity", `health authority: 1 to ${MOST_ORG_CHARACTERS} ASCII characters without quotes and backslashes`);
  if (!isPlainText(model, MOST_MODEL_CHARACTERS))
    throw new ConfigError("bad_identity", `model: 1 to ${MOST_MODEL_CHARACTERS} ASCII characters without quotes and backslashes`);
}

/** The two pages of a board, the one that ends first at the front. Source: protocols/bluetrace/temp-id-page.ts. */
export function encodeTempIdPages({ tempIDs, refreshTime }: TempIdBatch, identity: TokenIdentity): Uint8Array[] {
  checkIdentity(identity);
  const sorted = [...tempIDs].sort((a, b) => a.expiryTime - b.expiryTime);
  const half = Math.ceil(sorted.length / TEMP_ID_PAGES);
  return [sorted.slice(0, half), sorted.slice(half)].map((part) => {
    const page = Buffer.alloc(pageBytesOf(part.length));
    const { org, model, service } = identity;
    page.writeUInt32LE(TEMP_ID_MAGIC, 0);
    page[COUNT_AT] = part.length;
    page[SERVICE_AT] = service;
    page[ORG_LENGTH_AT] = org.length;
    page[MODEL_LENGTH_AT] = model.length;
    page.writeUInt32LE(refreshTime, REFRESH_AT);
    page.write(org, ORG_AT, "latin1");
    page.write(model, MODEL_AT, "latin1");
    for (const [i, { tempID, startTime, expiryTime }] of part.entries())
      page.set(encodeTempId(startTime, expiryTime, packTempId(tempID)!), TEMP_IDS_AT + i * TEMP_ID_RECORD);
    page.writeUInt32LE(crc32(page.subarray(CHECKED_FROM)), CHECK_AT);
    return page;
  });
}
