import { describe, expect, test } from "vitest";
import { attenuation, isTolerated, strongestOfEachScan, withoutReplays } from "../../host-tools/matching/sighting-rules.ts";
import { loadVectors } from "../support/vectors.ts";

const vectors = loadVectors("gaen_matching.json");

describe("rules about sightings give the published answers", () => {
  test.each(vectors.tolerance)("GAEN-24: identifier of $interval heard at $t: $valid", ({ interval, t, valid }) => {
    expect(isTolerated(interval, t)).toBe(valid);
  });

  test.each(vectors.replay)("GAEN-25: replays among $times are dropped", ({ times, kept }) => {
    expect(withoutReplays(times)).toEqual(kept);
  });

  test.each(vectors.aggregate)("one sighting for each scan, row %#", ({ sightings, kept }) => {
    expect(strongestOfEachScan(sightings)).toEqual(kept);
  });

  test.each(vectors.attenuation)("GAEN-25: $tx_power dBm heard at $rssi dBm lost $attenuation dB", (row) => {
    expect(attenuation(row.tx_power, row.rssi)).toBe(row.attenuation);
  });
});
