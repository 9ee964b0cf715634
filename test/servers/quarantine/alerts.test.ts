import { describe, expect, test } from "vitest";
import { AlertQueue, MOST_WAITING } from "../../../host-tools/servers/quarantine/alert-queue.ts";
import { SETUP_SECONDS } from "../../../host-tools/servers/quarantine/app-backend.ts";
import { AuthorityBackend } from "../../../host-tools/servers/quarantine/authority-backend.ts";
import { type ControlEvent, readEvent } from "../../../host-tools/servers/quarantine/events.ts";

const T0 = 1_591_354_799;
const ID = "01".repeat(16);
const OTHER = "02".repeat(16);
const violation = (at: number, id_beacon = ID): ControlEvent => ({ at, kind: "VIOLATION", id_beacon, silent_s: 500 });
const NAME = "00112233";

describe("alerts on their way (QB-18)", () => {
  test("one after the other, each under its own id, until it is confirmed", () => {
    const queue = new AlertQueue(NAME);
    expect(queue.due(T0)).toBeUndefined();
    queue.add([violation(T0), violation(T0)]);
    queue.add([violation(T0 + 60)]);
    const [first, second] = queue.state.waiting;
    expect(queue.due(T0)).toBe(first);
    queue.delivered("of another queue");
    expect(queue.due(T0)).toBe(first);
    queue.delivered(first.id);
    queue.delivered(first.id);
    expect(queue.due(T0)).toBe(second);
    expect(new Set([first, second, ...queue.state.waiting].map(({ id }) => id)).size).toBe(3);
  });

  test("attempts that fail wait 1, 2, 4 seconds and so on, at most five minutes; one that succeeds ends that", () => {
    const queue = new AlertQueue(NAME);
    queue.add([violation(T0), violation(T0 + 60)]);
    const waits = Array.from({ length: 12 }, () => {
      queue.failed(T0);
      return queue.state.nextAt - T0;
    });
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    expect(queue.due(T0 + 299)).toBeUndefined();
    queue.delivered(queue.due(T0 + 300)!.id);
    expect(queue.due(T0)).toBeDefined();
    queue.failed(T0);
    expect(queue.state.nextAt).toBe(T0 + 1);
  });

  test("it survives a restart as JSON, ids included", () => {
    const queue = new AlertQueue(NAME);
    queue.add([violation(T0), violation(T0 + 60)]);
    queue.failed(T0);
    const restored = new AlertQueue(NAME, JSON.parse(JSON.stringify(queue.state)));
    expect(restored.due(T0)).toBeUndefined();
    expect(restored.due(T0 + 1)).toEqual(queue.due(T0 + 1));
    restored.add([violation(T0 + 120)]);
    expect(restored.state.waiting.map(({ id }) => id)).toEqual([`${NAME}-0`, `${NAME}-1`, `${NAME}-2`]);
  });

  test("it is bounded, and counts what it had to drop", () => {
    const queue = new AlertQueue(NAME);
    queue.add(Array.from({ length: MOST_WAITING + 3 }, (_, i) => violation(T0 + i)));
    expect(queue.state.waiting).toHaveLength(MOST_WAITING);
    expect(queue.state.dropped).toBe(3);
    expect(queue.due(T0)?.event.at).toBe(T0 + 3);
  });
});

describe("the authority's backend", () => {
  const alert = (n: number, event: ControlEvent) => ({ id: `${NAME}-${n}`, event });

  test("an alert leads to the home and into the log, once however often it comes", () => {
    const authority = new AuthorityBackend();
    authority.addHome(ID, "Via Roma 1", T0);
    expect(authority.receive(alert(0, violation(T0)), T0)).toEqual({ address: "Via Roma 1", repeated: false });
    expect(authority.receive(alert(0, violation(T0)), T0 + 9)).toEqual({ address: "Via Roma 1", repeated: true });
    // the other phone of the same home, at the same tick
    expect(authority.receive(alert(1, violation(T0)), T0)).toEqual({ address: "Via Roma 1", repeated: false });
    expect(authority.violations(T0)).toEqual({ [ID]: ["2020-06-05 10:59:59.000000", "2020-06-05 10:59:59.000000"] });
  });

  test("an unknown beacon is logged as such", () => {
    const authority = new AuthorityBackend();
    expect(authority.receive(alert(0, violation(T0, OTHER)), T0)).toEqual({ repeated: false });
    expect(authority.entries(T0)).toEqual([{ event: violation(T0, OTHER), known: false }]);
  });

  test("faults and recoveries are in the log, not among violations", () => {
    const authority = new AuthorityBackend();
    authority.receive(alert(0, { at: T0, kind: "BEACON_FAULT", id_beacon: ID, offset_s: -3600 }), T0);
    authority.receive(alert(1, { at: T0, kind: "RECOVERED", id_beacon: ID }), T0);
    expect(authority.entries(T0)).toHaveLength(2);
    expect(authority.violations(T0)).toEqual({});
  });

  test("QB-04: ENABLE is asked for until the app backend has the beacon, and again for another address", () => {
    const authority = new AuthorityBackend();
    authority.addHome(ID, "Via Roma 1", T0);
    authority.addHome(OTHER, "Via Roma 2", T0);
    authority.confirm(ID, 0);
    authority.confirm("03".repeat(16), 1);
    expect(authority.toEnable(T0)).toEqual([ID, OTHER]);
    authority.confirm(ID, 2);
    expect(authority.toEnable(T0)).toEqual([OTHER]);
    authority.addHome(ID, "Via Roma 3", T0);
    expect(authority.toEnable(T0)).toEqual([ID, OTHER]);
  });

  test("QB-20: homes vanish after 14 days or at the end of a quarantine, alerts after 90 days", () => {
    const authority = new AuthorityBackend();
    authority.addHome(ID, "Via Roma 1", T0);
    authority.receive(alert(0, violation(T0)), T0);
    expect(authority.receive(alert(1, violation(T0)), T0 + SETUP_SECONDS - 1).address).toBe("Via Roma 1");
    expect(authority.receive(alert(2, violation(T0)), T0 + SETUP_SECONDS)).toEqual({ repeated: false });
    authority.addHome(OTHER, "Via Roma 2", T0 + SETUP_SECONDS);
    expect(authority.removeHome(OTHER)).toBe(true);
    expect(authority.removeHome(OTHER)).toBe(false);
    expect(authority.toEnable(T0 + SETUP_SECONDS)).toEqual([]);
    expect(authority.entries(T0 + 90 * 86400 - 1)).toHaveLength(3);
    expect(authority.entries(T0 + 90 * 86400)).toHaveLength(0);
  });

  test("it survives a restart as JSON; a repetition is known afterwards", () => {
    const before = new AuthorityBackend();
    before.addHome(ID, "Via Roma 1", T0);
    for (let n = 0; n < 2000; n++) before.receive(alert(n, violation(T0 + n)), T0 + n);
    const after = new AuthorityBackend(JSON.parse(JSON.stringify(before.state)));
    expect(after.state.received).toHaveLength(1024);
    expect(after.receive(alert(1999, violation(T0 + 1999)), T0 + 2000).repeated).toBe(true);
    expect(after.state).toEqual(before.state);
  });

  test("QB-02: an event with more in it than belongs there is none", () => {
    expect(readEvent(violation(T0))).toEqual(violation(T0));
    for (const json of [
      { ...violation(T0), phone: "07" },
      { ...violation(T0), kind: "ARREST" },
      { ...violation(T0), id_beacon: "__proto__" },
      null,
      [],
    ])
      expect(readEvent(json)).toBeUndefined();
  });
});
