import { writeInt } from "../bytes.ts";
import type { BlockCipher, Crypto } from "../ports.ts";

/** The numbers 0 to `count` - 1, at most 256, in an order drawn with equal chances for each from a source of random bytes (Fisher-Yates; DP-02). */
export function shuffledOrder(randomBytes: Crypto["randomBytes"], count: number): Uint8Array {
  const order = new Uint8Array(count).map((_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    // numbers past the last whole multiple would give the first ones a better chance
    const limit = 256 - (256 % (i + 1));
    let random = limit;
    while (random >= limit) random = randomBytes(1)[0];
    const other = random % (i + 1);
    const kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  return order;
}

/**
 * A source of bytes that gives the same ones again for the same `seed`, 16 random bytes: AES of 0, 1, 2 and so on, a byte of each.
 * An order must last for its day, through restarts too (DP-02); the seed is quicker kept than 96 numbers. It is drawn, never derived from SK: who publishes SK would publish the order with it.
 */
export function seededBytes(aes128: BlockCipher, seed: Uint8Array): Crypto["randomBytes"] {
  const counter = new Uint8Array(16);
  let next = 0;
  return function (length) {
    return new Uint8Array(length).map(function () {
      writeInt(counter, 0, 4, next++);
      return aes128(seed, counter)[0];
    });
  };
}
