import { describe, expect, test } from "vitest";
import { nodeCrypto } from "../../../host-tools/node-crypto.ts";
import { DemoAppBackend, DemoAuthorityBackend } from "../../../host-tools/servers/quarantine/demo/backends.ts";
import { formatLine, microseconds, parseLine } from "../../../host-tools/servers/quarantine/demo/lines.ts";
import { decodeBase64Url } from "../../../protocols/base64.ts";
import { ascii } from "../../../protocols/bytes.ts";
import { fernetText, sealFernet } from "../../../protocols/fernet/token.ts";
import { formatUtc } from "../../../protocols/smartbeacon/timestamp.ts";
import { loadVectors, type Row } from "../../support/vectors.ts";

const { demo } = loadVectors("smartbeacon.json");
const steps: Row[] = demo.steps;

/** What a step leads to, as the vectors write it. */
function take(app: DemoAppBackend, authority: DemoAuthorityBackend, { at, line, control }: Row): unknown {
  if (control) {
    const alerts = app.control(at);
    for (const alert of alerts) authority.take(alert, at);
    return { alerts, log: authority.log };
  }
  const answer = app.take(line, at);
  return answer.kind === "token" ? { accepted: answer.accepted, stored: answer.stored ?? null } : { database: app.database };
}

const servers = () => [new DemoAppBackend(), new DemoAuthorityBackend(new Map(Object.entries(demo.info)))] as const;

describe("the demonstration, line by line (QB-23)", () => {
  test.each(
    steps.map(({ at, line = "control", ...rest }, index) => ({ ...rest, index, at, name: line.split(",", 2).join(" ") })),
  )("$index: $name at $at", ({ index }) => {
    const [app, authority] = servers();
    for (const step of steps.slice(0, index)) take(app, authority, step);
    expect(take(app, authority, steps[index])).toEqual(steps[index].expect);
  });

  test("each line is read, and written again it is the same", () => {
    for (const { line } of steps) if (line) expect(formatLine(parseLine(line)!)).toBe(line);
    for (const alert of steps.flatMap(({ expect }) => expect.alerts ?? [])) expect(formatLine(parseLine(alert)!)).toBe(alert);
  });
});

const KEY = "nUQCePuJZ8hACZwerjrmkd73ualRAe_DUQgwoV7LXTw=";
const START = 1_591_354_800;
const setup = (phone: string, beacon: string) => `HealthAuthority,${phone},${beacon},${KEY}`;
const tokenText = (unix: number, text = formatUtc(unix, 0)) =>
  fernetText(sealFernet(nodeCrypto, decodeBase64Url(KEY)!, unix, new Uint8Array(16), ascii(text)));

describe("what the demonstration got wrong", () => {
  test.each([
    ["an empty line", ""],
    ["a header alone", "App"],
    ["a lower-case header", "app,beacon_01"],
    ["a field too many", "App,beacon_01,beacon_02"],
    ["an empty name", "App,"],
    ["a blank in a name", "App,beacon 01"],
    ["a line end", "App,beacon_01\n"],
    ["a name of 65 characters", `App,${"a".repeat(65)}`],
    ["a key of 31 bytes", "HealthAuthority,skt_01,beacon_01,nUQCePuJZ8hACZwerjrmkd73ualRAe_DUQgwoV7LXQ=="],
    ["a key in the other alphabet", setup("skt_01", "beacon_01").replace("_DUQ", "/DUQ")],
    ["a token of no token's length", "Smartphone,skt_01,gAAAAABe2iWy"],
    ["a token that is none", "Smartphone,skt_01,!"],
    ["a line as long as a book", `App,${"a,".repeat(100_000)}`],
  ])("it took any line; here this is none: %s", (_, line) => {
    expect(parseLine(line)).toBeUndefined();
    const [app, authority] = servers();
    expect(app.take(line, formatUtc(START, 0))).toEqual({ kind: "refused" });
    expect(authority.take(line, formatUtc(START, 0))).toBe("refused");
    expect(authority.log).toEqual({});
  });

  test("it wrote fields that hold a comma", () => {
    expect(() => formatLine({ kind: "alert", beacon: "beacon_01,beacon_02" })).toThrow("1 to 64 letters");
    expect(() => formatLine({ kind: "setup", phone: "skt_01", beacon: "beacon_01", key: "secret" })).toThrow(expect.not.stringContaining("secret"));
  });

  test("lines for the other server are refused", () => {
    const [app, authority] = servers();
    expect(app.take("App,beacon_01", formatUtc(START, 0))).toEqual({ kind: "refused" });
    expect(authority.take(setup("skt_01", "beacon_01"), formatUtc(START, 0))).toBe("refused");
  });

  test("it fell over an alert about a beacon that hangs nowhere; here it is logged, whatever its name", () => {
    const [, authority] = servers();
    expect(authority.take("App,beacon_01", "2020-06-05 11:00:00.000000")).toEqual({ home: "info_beacon_01" });
    expect(authority.take("App,__proto__", "2020-06-05 11:00:00.000000")).toEqual({ home: undefined });
    expect(Object.keys(authority.log)).toEqual(["beacon_01", "__proto__"]);
  });

  test.each([
    ["a token of 16 s ago", tokenText(START - 16), false],
    ["one of 15 s ago", tokenText(START - 15), true],
    ["one that says it is of in 6 s", tokenText(START, formatUtc(START + 6, 0)), false],
    ["one that says it is of a year ago", tokenText(START, formatUtc(START - 365 * 86400, 0)), false],
    ["one that says no time", tokenText(START, "now"), false],
  ])("it asked for no age: %s is %s", (_, token, accepted) => {
    const [app] = servers();
    app.take(setup("skt_01", "beacon_01"), formatUtc(START - 100, 0));
    expect(app.take(`Smartphone,skt_01,${token}`, formatUtc(START, 0))).toMatchObject({ accepted });
  });

  test("a phone that is registered anew is the last in the order of alerts, and its silence begins anew", () => {
    const [app] = servers();
    app.take(setup("skt_01", "beacon_01"), formatUtc(START, 0));
    app.take(setup("skt_02", "beacon_02"), formatUtc(START, 0));
    app.take(setup("skt_01", "beacon_01"), formatUtc(START + 10, 0));
    expect(app.control(formatUtc(START + 15, 0))).toEqual([]);
    expect(app.control(formatUtc(START + 15, 1))).toEqual(["App,beacon_02"]);
    expect(app.control(formatUtc(START + 26, 0))).toEqual(["App,beacon_02", "App,beacon_01"]);
  });

  test("times are exact to the microsecond, and only times of its form are any", () => {
    expect(microseconds("2020-06-05 11:00:00.250001")).toBe(START * 1e6 + 250_001);
    expect(microseconds("2020-06-05T11:00:00.250001")).toBeUndefined();
  });
});
