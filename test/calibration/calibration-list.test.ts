import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ASSUMED_BOARDS } from "../../host-tools/calibration/assumed-boards.ts";
import { attenuationOf } from "../../host-tools/calibration/attenuation.ts";
import { calibrationLines, parseCalibrationList } from "../../host-tools/calibration/calibration-list.ts";
import { calibrationOf } from "../../host-tools/calibration/lookup.ts";
import { attenuation } from "../../host-tools/matching/sighting-rules.ts";
import { DEFAULT_AIR } from "../../host-tools/simulator/air-model.ts";

const HEADER = "oem,device,model,rssi correction,tx,calibration confidence";
const parse = (...lines: string[]) => parseCalibrationList([...lines, ""].join("\n"), "list.csv");

describe("attenuation with corrections", () => {
  test("without any it is what matching reckons with", () => {
    const dbm = fc.integer({ min: -128, max: 127 });
    fc.assert(fc.property(dbm, dbm, (txPower, rssi) => attenuationOf({ txPower, rssi }) === attenuation(txPower, rssi)));
  });

  test("transmit power − (RSSI + correction), each end with its own; never negative", () => {
    const received = { txPower: 0, rssi: -60 };
    expect(attenuationOf(received, { rssi: 9, txPower: -9 })).toBe(51);
    expect(attenuationOf(received, undefined, { rssi: 9, txPower: -9 })).toBe(51);
    expect(attenuationOf(received, { rssi: 9, txPower: -9 }, { rssi: 9, txPower: -9 })).toBe(42);
    expect(attenuationOf({ txPower: -20, rssi: -25 }, { rssi: 9, txPower: -9 })).toBe(0);
  });
});

describe("calibration lists", () => {
  test("a published row and one of ours", () => {
    expect(parse(HEADER, "google,flame,Pixel 4,8,-30,3", 'Espruino,puckjs,"Puck.js, red",9,-9,lowest')).toEqual([
      { oem: "google", device: "flame", model: "Pixel 4", correction: { rssi: 8, txPower: -30 }, confidence: 3 },
      { oem: "Espruino", device: "puckjs", model: "Puck.js, red", correction: { rssi: 9, txPower: -9 }, confidence: 0 },
    ]);
  });

  test("decibels are taken as whole ones, as a radio reports them", () => {
    expect(parse(HEADER, "Espruino,puckjs,Puck.js,9.4,-9.6,0")[0].correction).toEqual({ rssi: 9, txPower: -10 });
  });

  test("columns are found by their names, in whatever order and spelling", () => {
    expect(parse("Model,Device,OEM,Confidence,TX_power,RSSI Correction,Notes", "Pixel 4,flame,google,HIGH,-30,8,x")).toEqual(
      parse(HEADER, "google,flame,Pixel 4,8,-30,3"),
    );
  });

  test.each([
    ["nothing", [], "no column oem, device, model, rssi correction, tx, calibration confidence"],
    ["another table", ["a,b", "1,2"], "no column oem"],
    ["a number that is none", [HEADER, "google,flame,Pixel 4,8,-30,3", "google,flame,Pixel 4,high,-30,3"], "line 3: rssi correction"],
    ["a number out of all reason", [HEADER, "google,flame,Pixel 4,8,-300,3"], "line 2: tx"],
    ["a confidence of 4", [HEADER, "google,flame,Pixel 4,8,-30,4"], "line 2: calibration confidence"],
    ["a row of nobody", [HEADER, "google,,,8,-30,3"], "line 2: neither device nor model"],
    ["a short row", [HEADER, "google,flame,Pixel 4,8"], "line 2: "],
  ])("%s is refused with its line", (_, lines, words) => {
    expect(() => parse(...lines)).toThrow(expect.objectContaining({ code: "bad_calibration", message: expect.stringContaining(words) }));
  });

  test("what is written is read as the same", () => {
    const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9 ,"#;().+-]{0,18}[A-Za-z0-9]$/);
    const decibels = fc.integer({ min: -60, max: 60 });
    const row = fc.record({
      oem: word,
      device: word,
      model: word,
      correction: fc.record({ rssi: decibels, txPower: decibels }),
      confidence: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(row), (list) => {
        expect(parse(...calibrationLines(list))).toEqual(list);
      }),
    );
  });
});

describe("whose corrections a device has", () => {
  const list = parse(
    HEADER,
    "google,flame,Pixel 4,8,-30,3",
    "google,coral,Pixel 4 XL,6,-26,3",
    "htc,ocn,HTC U11,2,-21,3",
    "htc,ocndugl,HTC U11,4,-27,1",
    "Espruino,puckjs,Puck.js,9,-9,2",
  );

  test("a board by any of its names", () => {
    for (const name of ["puckjs", "PUCKJS"]) expect(calibrationOf(list, name)).toBe(list[4]);
    expect(calibrationOf(list, "pixljs")).toBeUndefined();
    expect(calibrationOf(list, "")).toBeUndefined();
  });

  test("its own row; else the mean of its sisters, with medium confidence at most; else of its maker's, with low; else none", () => {
    expect(calibrationOf(list, { oem: "Google", device: "flame", model: "pixel 4" })).toBe(list[0]);
    expect(calibrationOf(list, { oem: "google", device: "flame", model: "Pixel 4 for Japan" })).toMatchObject({
      correction: { rssi: 8, txPower: -30 },
      confidence: 2,
    });
    expect(calibrationOf(list, { oem: "htc", device: "other", model: "HTC U11" })).toMatchObject({
      correction: { rssi: 3, txPower: -24 },
      confidence: 1,
    });
    expect(calibrationOf(list, { oem: "google", device: "sunfish", model: "Pixel 4a" })).toMatchObject({
      correction: { rssi: 7, txPower: -28 },
      confidence: 1,
    });
    expect(calibrationOf(list, { oem: "nokia", device: "x", model: "y" })).toBeUndefined();
  });
});

test("what is shipped is the simulator's antenna, at both ends, and says that nobody has measured it", () => {
  const gain = Math.round(DEFAULT_AIR.antennaGainDb);
  expect(ASSUMED_BOARDS.map(({ device, confidence }) => [device, confidence])).toEqual([
    ["puckjs", 0],
    ["pixljs", 0],
  ]);
  for (const { correction } of ASSUMED_BOARDS) expect(correction).toEqual({ rssi: -gain, txPower: gain });
});
