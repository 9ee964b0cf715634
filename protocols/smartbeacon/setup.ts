// What a beacon is told over the wire, once, and never tells again (QB-13): 64 bytes.
// offset 0   32 bytes  SK_BEACON; one of 16 bytes is followed by zeros
// offset 32  16 bytes  ID_BEACON
// offset 48  u8        carrier: B1 fragments of MESSAGE C, B2 of the Fernet token, B3 the compact token
// offset 49  u8        length of SK_BEACON, 16 or 32
// offset 50  u8        key mode of MESSAGE C: 0 split, 1 single
// offset 51  u8        zero
// offset 52  i16       minutes that local time is ahead of UTC, for the text of MESSAGE C
// offset 54  10 bytes  zero

export const SETUP_BYTES = 64;
export const ID_AT = 32;
export const CARRIER_AT = 48;
export const SK_LENGTH_AT = 49;
export const SINGLE_AT = 50;
export const OFFSET_AT = 52;
