import { describe, expect, test } from "vitest";
import { contactList, INTERVAL } from "../../host-tools/study/sociopatterns.ts";
import { whoMetWhom } from "../../host-tools/study/who-met-whom.ts";
import { dp3tChain, emptyStore, handOver, heard, heardDense, pulled, replayed, T0, v1Key } from "./study-db.ts";

describe("who met whom", () => {
  test("an encounter is with the board whose key makes its identifier; of others the number is told", async () => {
    const store = emptyStore();
    await pulled(store, 1, heard(2, { first: 100, seconds: 60, maxRssi: -58 }), heard(3, { first: 200 }));
    await pulled(store, 2, heard(1, { first: 104, seconds: 30, maxRssi: -62 }));
    await handOver(store, 1);
    await handOver(store, 2);
    const common = { protocol: "gaen", txPower: -8, count: 1 };
    expect(await whoMetWhom(store)).toEqual({
      contacts: [
        { ...common, listener: "board-1", sender: "board-2", firstSeen: T0 + 100, lastSeen: T0 + 160, maxRssi: -58, meanRssi: -58, attenuation: 50 },
        { ...common, listener: "board-2", sender: "board-1", firstSeen: T0 + 104, lastSeen: T0 + 134, maxRssi: -62, meanRssi: -62, attenuation: 54 },
      ],
      others: 1,
    });
  });

  test("a dense encounter is one too; an identifier that is heard hours after its time is nobody's, and a board never meets itself", async () => {
    const store = emptyStore();
    await pulled(store, 1, heardDense(2, { first: 96, seconds: 16 }), heard(1, { first: 300 }), replayed(2, 100, { first: 100 + 3 * 3600 }));
    await handOver(store, 1);
    await handOver(store, 2);
    const { contacts } = await whoMetWhom(store);
    expect(contacts).toMatchObject([{ listener: "board-1", sender: "board-2", firstSeen: T0 + 96 }]);
  });

  test("DP-3T's chains reach as far as anything was heard, however old they are; one that ended counts to its last day", async () => {
    const store = emptyStore();
    const young = await dp3tChain(store, 2, 0, false);
    const old = await dp3tChain(store, 3, 40, false);
    const ended = await dp3tChain(store, 4, 5, true);
    await pulled(store, 1, young({ first: 10 }), old({ first: 20, maxRssi: -70 }), ended({ first: 30 }));
    const { contacts, others } = await whoMetWhom(store);
    expect(contacts.map(({ sender, attenuation }) => [sender, attenuation])).toEqual([
      ["board-2", 64],
      ["board-3", 74],
    ]);
    expect(others).toBe(1);
  });

  test("Contact Tracing v1.0 tells no power, so no attenuation", async () => {
    const store = emptyStore();
    const sent = await v1Key(store, 2);
    await pulled(store, 1, sent({ first: 1300 }));
    expect((await whoMetWhom(store)).contacts).toMatchObject([{ sender: "board-2", protocol: "ct10", attenuation: null }]);
  });
});

describe("contact lists as SocioPatterns has them", () => {
  const contact = (listener: string, sender: string, firstSeen: number, lastSeen: number) => ({
    listener,
    sender,
    protocol: "gaen",
    firstSeen,
    lastSeen,
    txPower: -8,
    maxRssi: -58,
    meanRssi: -60,
    count: 3,
    attenuation: 50,
  });

  test("a line for each pair and each 20 s, named by its end, either way round and once", () => {
    const { lines, boards } = contactList([contact("b", "a", 1000, 1025), contact("a", "b", 1019, 1020), contact("c", "a", 1020, 1020)]);
    expect(boards).toEqual(["a", "b", "c"]);
    expect(lines).toEqual(["1020\t1\t2", "1040\t1\t2", "1040\t1\t3"]);
  });

  test("numbers of two digits stand behind those of one", () => {
    const contacts = Array.from({ length: 11 }, (_, i) => contact("a", `b${String(i).padStart(2, "0")}`, 0, 0));
    expect(contactList(contacts).lines.map((line) => line.split("\t")[2])).toEqual(Array.from({ length: 11 }, (_, i) => `${i + 2}`));
  });

  test("nobody met: no line", () => {
    expect(contactList([])).toEqual({ lines: [], boards: [] });
    expect(INTERVAL).toBe(20);
  });
});
