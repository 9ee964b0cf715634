import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatMhRow,
  MH_KINDS,
  type MhKind,
  type MhRow,
  mhHeader,
  type Position,
  parseMhLine,
  type RxDataRow,
} from "../../host-tools/store/mh-csv.ts";
import { createSightingMerge } from "../../host-tools/store/sighting-merge.ts";
import { fromHex, loadVectors, type Row, toHex } from "../support/vectors.ts";

const vectors = loadVectors("mh_csv.json");

/** Runs the sessions of a case through the merge, and writes files as the peer tool does: a header at each start, then rows. */
function writeFiles({ config, sessions }: Row): Record<string, string> {
  const files: Record<string, string> = {};
  const write = (kind: MhKind, rows: MhRow[]) => {
    files[`${kind}.csv`] += rows.map((row) => `${formatMhRow(row, config.gps)}\n`).join("");
  };
  const start = (kind: MhKind) => {
    files[`${kind}.csv`] = `${files[`${kind}.csv`] ?? ""}${mhHeader(kind, config.gps)}\n`;
  };
  for (const session of sessions) {
    const merge = createSightingMerge(config.cycle_s);
    start("rx_data");
    if (config.raw) start("rx_raw_data");
    if (session.teks) {
      start("tek_data");
      write(
        "tek_data",
        session.teks.map((key: Row) => ({ kind: "tek_data", rollingStart: key.interval, tek: fromHex(key.tek) })),
      );
    }
    for (const scan of session.scans) {
      const [latitude, longitude, altitude, speed] = (scan.gps ?? [null, null, null, null]).map((value: number | null) => value && String(value));
      const position: Position = { latitude, longitude, altitude, speed };
      for (const step of scan.steps) {
        const reports = step.beacons.map((one: Row) => ({
          rpi: fromHex(one.rpi),
          aem: fromHex(one.aem),
          rssi: one.rssi,
          address: one.address,
          addressType: one.address_type,
        }));
        const heard = merge.step(step.time, reports, config.gps ? position : undefined);
        if (config.raw) write("rx_raw_data", heard);
      }
      write("rx_data", merge.endCycle(scan.steps.at(-1).time));
    }
    write("rx_data", merge.end());
  }
  return files;
}

describe("files of the peer tool", () => {
  test.each(vectors.cases)("MH-01: $name", (one) => {
    expect(writeFiles(one)).toEqual(one.files);
  });

  test.each(vectors.cases)("MH-02: all lines read, and write again to the same text: $name", ({ files, config }) => {
    for (const [name, text] of Object.entries(files as Record<string, string>)) {
      const kind = name.replace(".csv", "") as MhKind;
      const again = text
        .split("\n")
        .slice(0, -1)
        .map((line) => {
          const parsed = parseMhLine(kind, line);
          return "row" in parsed ? formatMhRow(parsed.row, config.gps) : "header" in parsed ? mhHeader(kind, config.gps) : parsed.problem;
        });
      expect(`${again.join("\n")}\n`).toBe(text);
    }
  });

  test.each(vectors.parse)("MH-02: line $line", ({ line, expect: expected }) => {
    const parsed = parseMhLine("rx_data", line);
    if (expected === "header") expect(parsed).toEqual({ header: true });
    else if (expected === "invalid") expect(parsed).toEqual({ problem: expect.any(String) });
    else {
      const { row } = parsed as { row: RxDataRow };
      const position = row.position && {
        lat: row.position.latitude,
        lon: row.position.longitude,
        altitude: row.position.altitude,
        speed: row.position.speed,
      };
      expect({
        start: row.start,
        end: row.end,
        rpi: toHex(row.rpi),
        aem: toHex(row.aem),
        max_rssi: row.maxRssi,
        address: row.address,
        address_type: row.addressType,
        ...position,
      }).toEqual(expected);
    }
  });

  const good = "1589580000;1589580020;ec6e55b3d6f86b070bd655ed41f2d3cc;f39c38df;-44;0c:33:79:93:2c:1a (random)";
  test.each([
    [good.replace("1589580020", "1589579999"), "EndTime lies before StartTime"],
    [good.replace("1589580020", "1589580020.5"), "EndTime: a whole number up to 2^32-1 expected"],
    [good.replace("1589580020", "4294967296"), "EndTime: a whole number up to 2^32-1 expected"],
    [good.replace("-44", "-129"), "MaxRSSI: whole dBm from -128 to 127 expected"],
    [good.replace("f39c38df", "f39c38dg"), "AEM: hex digits expected"],
    [good.replace("(random)", "(other)"), "BDADDR: an address as aa:bb:cc:dd:ee:ff (random) or (public) expected"],
    [`${good};None`, "6 or 10 columns expected, got 7"],
    [`${good};1,5;None;None;None`, "position: decimal numbers or None expected"],
  ])("MH-02: %s is no row", (line, problem) => {
    expect(parseMhLine("rx_data", line)).toEqual({ problem });
  });

  test("a key whose two forms differ is no row, and no reason ever holds a part of a key", () => {
    const line = "2649312;7921b817fdb92074df5345594273756f;eSG4F/25IHTfU0VZQnN1bw==";
    expect(parseMhLine("tek_data", line)).toMatchObject({ row: { rollingStart: 2649312 } });
    for (const broken of [line.replace("==", "=A"), line.replace("7921", "792g"), line.replace("7921", "792"), line.slice(0, 50), `${line};`]) {
      const { problem } = parseMhLine("tek_data", broken) as { problem: string };
      expect(problem).not.toMatch(/b817|eSG4|2074/);
    }
  });

  test("an address that nobody kept is written as zeros and read back as none", () => {
    const { row } = parseMhLine("rx_data", good) as { row: RxDataRow };
    const line = formatMhRow({ ...row, address: null });
    expect(line.endsWith(";00:00:00:00:00:00 (random)")).toBe(true);
    expect(parseMhLine("rx_data", line)).toMatchObject({ row: { address: null } });
    expect(parseMhLine("rx_data", good.replace("0c:33:79:93:2c:1a (random)", "None"))).toMatchObject({ row: { address: null } });
  });

  test("COM-03: any text is a row, a header or has a problem", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MH_KINDS),
        fc.oneof(
          fc.string(),
          fc.array(fc.constantFrom("1", "ab".repeat(16), ";", "-5", "None")).map((parts) => parts.join(";")),
        ),
        (kind, line) => {
          expect(Object.keys(parseMhLine(kind, line)).length).toBe(1);
        },
      ),
    );
  });
});
