// AES and SHA-256 for interpreters that were compiled without them, written for little space: tables are computed when they are first needed,
// so a board that never needs them pays no memory. Sources: FIPS 197, FIPS 180-4; section numbers are theirs.

import { ascii } from "../../protocols/bytes.ts";
import { paddedBlocks } from "./padding.ts";
import { SHA256_CODE_BYTES, sha256Code } from "./thumb/code.ts";

let sBox: Uint8Array | undefined;

/** The S-box (FIPS 197, 5.1.1): walks through the powers `p` of 3 and their inverses `q`. */
function makeSBox(): Uint8Array {
  const box = new Uint8Array(256);
  let p = 1;
  let q = 1;
  do {
    p ^= (p << 1) ^ ((p >> 7) * 283);
    q ^= q << 1;
    q ^= q << 2;
    q = (q ^ (q << 4)) & 255;
    if (q > 127) q ^= 9;
    // twice beside itself, shifting is rotating
    const twice = q * 257;
    box[p] = 99 ^ q ^ (twice >> 4) ^ (twice >> 5) ^ (twice >> 6) ^ (twice >> 7);
  } while (p > 1);
  box[0] = 99;
  return box;
}

/** AES-ECB encryption. `key`: 16 or 32 bytes; `blocks`: a multiple of 16 bytes; answers as many. */
export function softwareAes(key: Uint8Array, blocks: Uint8Array): Uint8Array {
  if (!sBox) sBox = makeSBox();
  const box = sBox;
  const out = new Uint8Array(blocks.length);
  const size = key.length;
  // 10 rounds or 14 (5), and one key more
  const last = size * 4 + 96;
  const keys = new Uint8Array(last + 16);
  const state = new Uint8Array(16);
  const mixed = new Uint8Array(16);
  let constant = 1;
  keys.set(key);
  // 5.2; every fourth word, or eighth, takes the one before turned by a byte
  for (let i = size; i < last + 16; i++) {
    let word = keys[i - 4];
    const place = i & (size - 4);
    if (place === 16) word = box[word];
    else if (!place) {
      word = box[keys[(i & 3) > 2 ? i - 7 : i - 3]];
      if (!(i & 3)) {
        word ^= constant;
        constant = (constant << 1) ^ ((constant >> 7) * 283);
      }
    }
    keys[i] = keys[i - size] ^ word;
  }
  for (let at = 0; at < out.length; at += 16) {
    for (let i = 0; i < 16; i++) state[i] = blocks[at + i] ^ keys[i];
    for (let round = 16; round < last; round += 16) {
      for (let i = 0; i < 16; i += 4) {
        // ShiftRows takes a column from the diagonal: byte i from 5i (5.1.2)
        const a = box[state[i]];
        const b = box[state[(i + 5) & 15]];
        const c = box[state[(i + 10) & 15]];
        const d = box[state[(i + 15) & 15]];
        // MixColumns: 2a + 3b + c + d = a + (a + b + c + d) + 2(a + b) (5.1.3)
        const all = a ^ b ^ c ^ d;
        const ab = (a ^ b) << 1;
        const bc = (b ^ c) << 1;
        const cd = (c ^ d) << 1;
        const da = (d ^ a) << 1;
        const k = round + i;
        mixed[i] = keys[k] ^ a ^ all ^ ab ^ ((ab >> 8) * 27);
        mixed[i + 1] = keys[k + 1] ^ b ^ all ^ bc ^ ((bc >> 8) * 27);
        mixed[i + 2] = keys[k + 2] ^ c ^ all ^ cd ^ ((cd >> 8) * 27);
        mixed[i + 3] = keys[k + 3] ^ d ^ all ^ da ^ ((da >> 8) * 27);
      }
      state.set(mixed);
    }
    for (let i = 0; i < 16; i++) out[at + i] = box[state[(i * 5) & 15]] ^ keys[last + i];
  }
  return out;
}

/** The 8 words of 5.3.3 to begin with, and behind them the 64 round constants of 4.2.2. */
let constants: Int32Array | undefined;

/** SHA-256: 32 bytes. `message`: less than 2 MB. */
export function softwareSha256(message: Uint8Array): Uint8Array {
  // they stand behind the machine code, in the byte order of the chip; where it runs, nobody else needs them
  if (!constants) constants = new Int32Array(ascii(sha256Code()).buffer, SHA256_CODE_BYTES);
  const k = constants;
  const hash = new Int32Array(k.subarray(0, 8));
  const w = new Int32Array(16);
  const blocks = paddedBlocks(message, 0);
  for (let at = 0; at < blocks.length; at += 64) {
    let a = hash[0];
    let b = hash[1];
    let c = hash[2];
    let d = hash[3];
    let e = hash[4];
    let f = hash[5];
    let g = hash[6];
    let h = hash[7];
    for (let i = 0; i < 64; i++) w[i >> 2] = (w[i >> 2] << 8) | blocks[at + i];
    // 6.2.2
    for (let i = 0; i < 64; i++) {
      if (i > 15) {
        const x = w[(i + 1) & 15];
        const y = w[(i + 14) & 15];
        w[i & 15] +=
          w[(i + 9) & 15] +
          (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
          (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10));
      }
      h += (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) + (g ^ (e & (f ^ g))) + k[i + 8] + w[i & 15];
      d += h;
      h += (((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) + ((a & (b | c)) | (b & c));
      const last = h | 0;
      h = g;
      g = f;
      f = e;
      e = d | 0;
      d = c;
      c = b;
      b = a;
      a = last;
    }
    const sums = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i++) hash[i] += sums[i];
  }
  const out = new Uint8Array(32);
  for (let i = 0; i < 32; i++) out[i] = hash[i >> 2] >> ((~i & 3) * 8);
  return out;
}
