import { describe, expect, test } from "vitest";
import { lifetimesIn } from "../support/observer.ts";
import { status, WornWorld } from "../support/worn-boards.ts";

describe("a turn that ends in the middle, as when somebody interrupts it from the console,", () => {
  test("is begun again: the board goes on scanning and sending", async () => {
    const world = new WornWorld(41);
    const board = await world.wear({ x: 0, y: 0 });
    world.pass(60);
    board.evaluate("var answer=NRF.getSecurityStatus,cuts=1;NRF.getSecurityStatus=function(){if(cuts-->0)throw new Error('cut');return answer()};");
    world.pass(3 * 3600);
    expect(board.errors.join()).toMatch(/cut/);
    expect(board.errors).toHaveLength(1);
    expect(status(board).ad).toBe(1);
    const { from } = lifetimesIn(world.sentBy(board)).at(-1)!;
    expect(world.clock.now - from).toBeLessThan(1200);
  });

  test("in the middle of a new key is begun with that key", async () => {
    const world = new WornWorld(42);
    const board = await world.wear({ x: 0, y: 0 }, { board: "mdbt42q", clockSet: false });
    board.evaluate(
      "var crypto=require('crypto'),hash=crypto.SHA256,cuts=1;crypto.SHA256=function(m){if(cuts-->0)throw new Error('cut');return hash(m)};",
    );
    board.evaluate(`T.t(${Math.floor(world.clock.now)},0,0)`);
    world.pass(2400);
    expect(board.errors).toHaveLength(1);
    expect(status(board).ad).toBe(1);
    expect(lifetimesIn(world.sentBy(board)).length).toBeGreaterThanOrEqual(2);
  });
});
