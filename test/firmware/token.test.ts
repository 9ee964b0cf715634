import { expect, test } from "vitest";
import { wearToken } from "../support/tokens.ts";
import { status, WornWorld } from "../support/worn-boards.ts";

test("smoke", async () => {
  const world = new WornWorld(1);
  const a = await wearToken(world, 1, { x: 0, y: 0 });
  const b = await wearToken(world, 2, { x: 1, y: 0 });
  for (let i = 0; i < 10; i++) {
    world.pass(60);
    console.log(JSON.stringify([status(a).me, status(b).me, status(a).te, status(a).er, status(a).ad, status(a).ro]), a.errors, b.errors);
  }
  console.log(JSON.stringify(status(a)));
  expect(1).toBe(1);
});
