import { TEMP_ID_RECORD } from "./temp-id.ts";

// A page of flash with TempIDs, as a board keeps them behind the ring of its log: two pages, each whole in itself, so that one is there whatever becomes of the other.
// A batch is written in two halves, the page first whose TempIDs end first.
// offset 0   u32       magic 'T' 'L' 'B' 1; written last
// offset 4   u32       CRC-32 of all that follows, up to the end of the last TempID
// offset 8   u8        number of TempIDs, at most 57
// offset 9   u8        service: index into SERVICES and CHARACTERISTICS of advertisement.ts
// offset 10  u8        length of the authority's name, at most 31
// offset 11  u8        length of the model, at most 32
// offset 12  u32       Unix time from which on the hub is to bring new ones
// offset 16  32 bytes  health authority, ASCII
// offset 48  32 bytes  model, ASCII
// offset 80  16 bytes  reserved, zero
// offset 96  69 bytes  TempIDs of temp-id.ts, one behind the other

/** Pages that a board keeps for TempIDs. */
export const TEMP_ID_PAGES = 2;
export const TEMP_ID_MAGIC = 0x01424c54;
export const CHECK_AT = 4;
export const CHECKED_FROM = 8;
export const COUNT_AT = 8;
export const SERVICE_AT = 9;
export const ORG_LENGTH_AT = 10;
export const MODEL_LENGTH_AT = 11;
export const REFRESH_AT = 12;
export const ORG_AT = 16;
export const MODEL_AT = 48;
export const TEMP_IDS_AT = 96;
export const MOST_ORG_CHARACTERS = 31;
/** TempIDs that a page takes. */
export const TEMP_IDS_OF_PAGE = 57;

/** Bytes of a page with so many TempIDs. */
export function pageBytesOf(count: number): number {
  return TEMP_IDS_AT + count * TEMP_ID_RECORD;
}
