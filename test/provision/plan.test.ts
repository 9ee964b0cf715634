import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../../host-tools/csv.ts";
import { parsePlan } from "../../host-tools/provision/plan.ts";

const HEADER = "name,port,board,role,protocols,settings,lock,note";
const read = (...rows: string[]) => parsePlan([HEADER, ...rows].join("\n"), "plan.csv");
const cells = (text: string) => parseCsv(text, "x.csv").map((row) => row.cells);

describe("a plan", () => {
  test("tells of each board its name, port, role and settings, the usual ones where none are named", () => {
    const [first, second] = read(
      'p1,/dev/ttyUSB0,puckjs,wearable,gaen,cycleTime=60 txPower=-8,yes,"a, b"',
      "p2,tcp:localhost:9601,PIXLJS,Scanner,,,,",
    );
    expect(first).toMatchObject({ line: 2, name: "p1", port: "/dev/ttyUSB0", role: "wearable", protocols: ["gaen"], lock: true, note: "a, b" });
    expect(first.board.id).toBe("puckjs");
    expect(first.settings).toMatchObject({ cycleTime: 60, txPower: -8, scanTime: 2, retention: 14 });
    expect(second).toMatchObject({ line: 3, port: "tcp://localhost:9601", role: "scanner", protocols: ["gaen"], lock: false, note: "" });
    expect(second.board.id).toBe("pixljs");
  });

  test("names several protocols with spaces, and what is to be sent by name", () => {
    const [row] = read('p1,*,puckjs,wearable,gaen dp3t,"transmit=gaen,dp3t cycleTime=60",,');
    expect(row).toMatchObject({ protocols: ["gaen", "dp3t"], settings: { transmit: 5, cycleTime: 60 } });
  });

  test("takes the settings that are usual for the role where it names none", () => {
    const [row] = read("p1,*,puckjs,smartbeacon,smartbeacon,txPower=4,,");
    expect(row.settings).toMatchObject({ advertisingInterval: 100, txPower: 4 });
  });

  test("of a SmartBeacon says whose key it gets, what carries its messages, and how far local time is ahead", () => {
    const rows = parsePlan(
      "name;board;role;beacon;carrier;utcoffset\nb1;puckjs;smartbeacon;keys/hall.beacon;Message;120\nb2;puckjs;smartbeacon;;;\nc;puckjs;collector;;;\nw;puckjs;wearable;;;",
      "plan.csv",
    );
    expect(rows.map(({ beacon }) => beacon)).toEqual([
      { file: "keys/hall.beacon", carrier: "message", utcOffset: 120 },
      { file: undefined, carrier: "token", utcOffset: 0 },
      undefined,
      undefined,
    ]);
    // the role says what it is for
    expect(rows.map(({ protocols }) => protocols)).toEqual([["smartbeacon"], ["smartbeacon"], ["smartbeacon"], ["gaen"]]);
    const bad = (row: string) => () => parsePlan(`name,board,role,beacon,carrier,utcOffset\n${row}`, "plan.csv");
    expect(bad("w,puckjs,wearable,hall.beacon,,")).toThrow("line 2, beacon: only a smartbeacon has one, and the role is wearable");
    expect(bad("b,puckjs,smartbeacon,,pigeon,")).toThrow('line 2, carrier: no carrier is called "pigeon"; known: token, message, fernet');
    expect(bad("b,puckjs,smartbeacon,,,900")).toThrow("line 2, utcOffset: whole minutes from -840 to 840");
    expect(bad("a,puckjs,smartbeacon,x.beacon,,\nb,puckjs,smartbeacon,x.beacon,,")).toThrow("line 3, beacon: x.beacon is the key of line 2 already");
  });

  test("has its columns in any order, and needs name, board and role alone", () => {
    const [row] = parsePlan("role;board;name\nbeacon;mdbt42q;b", "plan.csv");
    expect(row).toMatchObject({ name: "b", port: "*", role: "beacon", lock: false });
  });

  test.each([
    ["no/name,*,puckjs,wearable,,,,", "line 2, name: ", "1 to 20 letters"],
    [",*,puckjs,wearable,,,,", "line 2, name: ", 'got ""'],
    ["p,tcp://x,puckjs,wearable,,,,", "line 2, port: ", "tcp://host:port"],
    ["p,*,puck,wearable,,,,", "line 2, board: ", "known: puckjs"],
    ["p,*,puckjs,waiter,,,,", "line 2, role: ", "known: wearable, beacon, scanner"],
    ["p,*,puckjs,wearable,morse,,,", "line 2, protocols: ", "known: gaen"],
    ["p,*,puckjs,wearable,dp3t dp3t-unlinkable,,,", "line 2, role: ", "don't go together"],
    ["p,*,puckjs,wearable,gaen ct10,transmit=4,,", "line 2, settings: ", "dp3t can't be sent by firmware with gaen, ct10"],
    ["p,*,puckjs,wearable,,scanTime=3,,", "line 2, settings: ", "multiple of 2"],
    ["p,*,puckjs,wearable,,speed=3,,", "line 2, settings: ", "no setting is called speed"],
    ["p,*,puckjs,wearable,,txPower=8,,", "line 2, settings: ", "Puck.js does"],
    ["p,*,puckjs,wearable,,cycleTime=4 scanTime=6,,", "line 2, settings: ", "longer than the cycle"],
    ["p,*,puckjs,wearable,,retention=1 retention=2,,", "line 2, settings: ", "set twice"],
    ["p,*,puckjs,wearable,,,maybe,", "line 2, lock: ", "yes or no"],
    ["p,*,bangle2,wearable,,,yes,", "line 2, lock: ", "Bangle.js 2 can't have the lock"],
    ["p,*,puckjs,wearable,,,,,more", "line 2, column 9: ", '"more"'],
  ])("%s is refused by line and column", (row, place, words) => {
    expect(() => read(row)).toThrow(place);
    expect(() => read(row)).toThrow(words);
    expect(() => read(row)).toThrow("no board was touched");
  });

  test("tells all its problems at once, two boards of one name among them", () => {
    let message = "";
    try {
      read("p1,*,puckjs,wearable,,,,", "x,*,nope,wearable,,,,", "", "P1,*,puckjs,scanner,,,,");
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain("2 problems");
    expect(message).toContain('line 3, board: no board is called "nope"');
    expect(message).toContain("line 5, name: P1 is the name of line 2 already");
  });

  test.each([
    ["", "empty"],
    ["name,board", "the column role is missing"],
    ["name,board,role,colour\nx,y,z,w", 'no column is called "colour"'],
    ["name,board,role,name\nx,y,z,w", "the column name is there twice"],
    [`${HEADER}\n`, "no board follows"],
  ])("%j is no plan", (text, words) => {
    expect(() => parsePlan(text, "plan.csv")).toThrow(words);
  });

  test("of the examples is one", () => {
    const rows = parsePlan(readFileSync("examples/plan.csv", "utf8"), "examples/plan.csv");
    expect(rows.map(({ name, port }) => [name, port])).toEqual([
      ["puck-01", "/dev/ttyUSB0"],
      ["puck-02", "/dev/ttyUSB0"],
      ["puck-03", "/dev/ttyUSB0"],
      ["door-east", "/dev/ttyUSB1"],
      ["lab-beacon", "*"],
      ["hall", "/dev/ttyUSB2"],
    ]);
  });
});

describe("a table", () => {
  test("has quotes around what contains a separator, a quote or a line break", () => {
    expect(cells('a,b\r\n"1,2","say ""hi"""\n"two\nlines",\n')).toEqual([
      ["a", "b"],
      ["1,2", 'say "hi"'],
      ["two\nlines", ""],
    ]);
    expect(cells("\uFEFFa;b\n1;2")).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
  });

  test("counts lines as an editor does, past empty ones, remarks and cells of several lines", () => {
    const rows = parseCsv('a\n\n# remark\n"x\ny"\nz', "x.csv");
    expect(rows.map(({ line }) => line)).toEqual([1, 4, 6]);
  });

  test("with a quote that stays open is refused by its line", () => {
    expect(() => cells('a,b\n1,"2')).toThrow("x.csv, line 2: a quote");
    expect(() => cells('a,b\n1,"2"3')).toThrow("x.csv, line 2: a quote");
  });

  test("comes back as it was written", () => {
    const cell = fc.string({ maxLength: 8 }).map((text) => text.replace(/\r/g, "").trim());
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constant("x"), cell, cell), { minLength: 1, maxLength: 5 }), (rows) => {
        const text = rows.map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(",")).join("\n");
        expect(cells(text)).toEqual(rows);
      }),
    );
  });
});
