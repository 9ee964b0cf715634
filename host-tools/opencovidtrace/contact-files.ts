import { z } from "zod";
import { decodeBase64 } from "../../protocols/base64.ts";
import { FormatError } from "../errors.ts";
import type { DayKey } from "./matching.ts";

// Files that pass between people, hubs and servers. What is wrong with one is told without a word of what is in it.

/** The answer to a link that was scanned, as the contact server takes it: POST /makeContact. Source: oct-contact. */
export interface ContactAnswer {
  token: string;
  platform: string;
  /** base64 of `sealContact`. */
  secret: string;
  /** Unix ms, the link's own. */
  tst: number;
}

/** Where somebody was on a day, degrees. */
export interface Place {
  day: number;
  lat: number;
  lng: number;
}

const LAST_DAY = 49_710;
const day = z.int().min(0).max(LAST_DAY);
// a push brings secret and time only
const answerShape = z.object({ secret: z.string(), tst: z.int() });
const placesShape = z.array(z.strictObject({ day, lat: z.number().min(-90).max(90), lng: z.number().min(-180).max(180) }));
const keyList = z.array(z.object({ value: z.string(), day, meta: z.string().optional() }));
const keysShape = z.preprocess(
  (json) => (typeof json === "object" && json !== null && "opencovidtrace" in json ? { keys: json.opencovidtrace } : json),
  z.object({ keys: keyList }),
);

const EXPECTED_ANSWER = '{"secret": base64 of 32 bytes, "tst": Unix ms}';
const EXPECTED_PLACES = '[{"day": days since 1970, "lat": degrees, "lng": degrees}, …]';
const EXPECTED_KEYS = '{"keys": [{"value": base64 of 16 bytes, "day": days since 1970, "meta": the same, or left out}, …]}';

function parse<T>(shape: z.ZodType<T>, text: string, file: string, code: string, expected: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // what the parser says may quote a key
    throw new FormatError(code, `${file}: no JSON; expected: ${expected}`);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) throw new FormatError(code, `${file}: not in its form${at(parsed.error.issues[0].path)}; expected: ${expected}`);
  return parsed.data;
}

function at(path: PropertyKey[]): string {
  const entry = path.find((part) => typeof part === "number");
  return entry === undefined ? "" : ` at entry ${entry + 1}`;
}

/** @throws FormatError "bad_answer" */
export function parseAnswer(text: string, file: string): Pick<ContactAnswer, "secret" | "tst"> {
  return parse(answerShape, text, file, "bad_answer", EXPECTED_ANSWER);
}

/** @throws FormatError "bad_places" */
export function parsePlaces(text: string, file: string): Place[] {
  return parse(placesShape, text, file, "bad_places", EXPECTED_PLACES);
}

/** Published keys, as a server gives them: GET /keys; or those of a file of `tracelet keys pull`. @throws FormatError "bad_keys" */
export function parsePublishedKeys(text: string, file: string): DayKey[] {
  return parse(keysShape, text, file, "bad_keys", EXPECTED_KEYS).keys.map(({ value, day, meta }, i) => {
    const dailyKey = decodeBase64(value);
    const metaKey = meta === undefined ? undefined : decodeBase64(meta);
    if (dailyKey?.length !== 16 || (meta !== undefined && metaKey?.length !== 16))
      throw new FormatError("bad_keys", `${file}: entry ${i + 1} is no key; expected: ${EXPECTED_KEYS}`);
    return { dailyKey, day, metaKey };
  });
}
