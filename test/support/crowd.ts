import type { Station } from "../../host-tools/simulator/air.ts";
import { encodeAdvertisement, FLAGS } from "../../protocols/gaen/advertisement.ts";
import { beacon } from "./observer.ts";
import type { WornWorld } from "./worn-boards.ts";

/** Advertising data of the person called `number`. */
export function advertisement(number: number): Uint8Array {
  const rpi = Uint8Array.from({ length: 16 }, (_, i) => Math.imul(number * 16 + i + 1, 0x9e3779b1) >>> 24);
  // where a dense record tells it too
  rpi.set([number >> 16, number >> 8, number], 1);
  return encodeAdvertisement(rpi, Uint8Array.of(number, 2, 3, 4), FLAGS);
}
/** Whose identifier it is, or the beginning of one. */
export function numberOf(rpi: Uint8Array): number {
  return (rpi[1] << 16) | (rpi[2] << 8) | rpi[3];
}

/** People who pass by: `size` at a time, all of them others every `seconds`. Answers how many have passed. */
export function crowd(world: WornWorld, size: number, seconds: number): { passed(): number; stop(): void } {
  let number = 0;
  let going = true;
  const stations: Station[] = Array.from({ length: size }, (_, i) => {
    const angle = (i / size) * 2 * Math.PI;
    // not all in step
    world.pass(0.25 / size);
    return beacon(world.air, `passer-by ${i}`, { x: 1.5 * Math.cos(angle), y: 1.5 * Math.sin(angle) }, advertisement(number++));
  });
  const next = () => {
    if (!going) return;
    for (const station of stations) station.amend({ packets: [advertisement(number++)] });
    world.clock.after(seconds, next);
  };
  world.clock.after(seconds, next);
  return {
    passed: () => number,
    stop() {
      going = false;
      for (const station of stations) station.advertise(undefined);
    },
  };
}
