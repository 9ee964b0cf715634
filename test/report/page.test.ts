import { PNG } from "pngjs";
import { describe, expect, test } from "vitest";
import { type Report, reportPage } from "../../host-tools/report/page.ts";
import { daysPlot, eventPlot, overviewPlot } from "../../host-tools/report/plots.ts";
import { pngFile } from "../../host-tools/report/raster.ts";
import { DARK, inlineSvg, LIGHT, svgFile } from "../../host-tools/report/scene.ts";
import { timeline } from "../../host-tools/report/timeline.ts";
import { duration, escaped, span, UTC, zoneCalled } from "../../host-tools/report/words.ts";
import { exposure, NOON } from "./exposures.ts";

const HOSTILE = `"><script>alert('x')</script>&\u0000\u202e</title>`;
const periods = [
  { board: "a", kind: "place" as const, place: HOSTILE, from: NOON - 600, to: NOON + 300 },
  { board: "a", kind: "mask" as const, place: null, from: NOON, to: NOON + 119 },
];
const events = timeline([exposure()], [exposure({ board: "b", firstSeen: NOON + 7200, lastSeen: NOON + 7200 })], { cycleOf: () => 300, periods });
const report: Report = {
  title: HOSTILE,
  protocol: "gaen",
  madeAt: NOON + 86400,
  zone: UTC,
  names: new Map([
    ["a", HOSTILE],
    ["b", "Bo"],
  ]),
  events,
  days: [{ board: "a", day: 20514, scoreSeconds: 1200, heardSeconds: 900 }],
  keys: 1,
  encounters: 7,
  setApart: [`1 encounter, ${HOSTILE}`],
  notes: [{ heading: HOSTILE, lines: [HOSTILE] }],
};

/** Every element that is opened is closed, in order; answers the names of all. */
function elements(markup: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  for (const [, slash, name, rest] of markup.replace(/<!doctype html>|<\?xml[^>]*\?>/g, "").matchAll(/<(\/?)([a-zA-Z0-9]+)([^<>]*)>/g)) {
    names.push(name);
    if (slash) expect(open.pop(), markup.slice(0, 80)).toBe(name);
    else if (!rest.endsWith("/") && name !== "meta") open.push(name);
  }
  expect(open).toEqual([]);
  return names;
}

describe("the page of a report", () => {
  const page = reportPage(report);

  test("is whole HTML with no script, and loads nothing", () => {
    const names = elements(page);
    for (const forbidden of ["script", "link", "img", "iframe", "object", "a", "form", "image", "use"]) expect(names).not.toContain(forbidden);
    expect(page).not.toMatch(/https?:|url\(|@import|\son\w+=|javascript:/i);
    expect(page).toContain("default-src 'none'");
  });

  test("has every text from the data escaped, wherever it stands", () => {
    expect(page).not.toContain("alert('x')");
    for (const character of ["\u0000", "\u202e"]) expect(page).not.toContain(character);
    expect(page.split("alert(&#39;x&#39;)").length).toBeGreaterThan(8);
    expect(escaped("<a b='c'>&\ud800 \u{1f600}\t")).toBe("&#60;a b=&#39;c&#39;&#62;&#38;? \u{1f600}?");
  });

  test("says in words what the pictures show: times, nearness, marks, what does not count", () => {
    const text = page.replace(/<(style|title)[^>]*>.*?<\/\1>/gs, "").replace(/<[^>]*>/g, " ");
    for (const words of [
      "1 time on 1 day, about 15 min in all, 15 min of it near or very near",
      "1 published key was looked for in 7 encounters",
      "1 event marked as safe is shown below and not counted",
      "15 min, all of it near. At the nearest 66 dB.",
      "12:00 to 12:02",
      "marked as safe, not counted",
      "20.0 min",
      "the fewer decibels, the nearer",
    ])
      expect(text).toContain(words);
    expect(page).toMatch(/<td>mask<\/td>/);
  });

  test("has a title and a description for every picture, each of its own", () => {
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const labels = [...page.matchAll(/aria-labelledby="(\S+) (\S+)"/g)];
    expect(labels.length).toBe(4);
    for (const [, title, description] of labels) expect(ids).toEqual(expect.arrayContaining([title, description]));
  });

  test("without exposures says so, and that it is no all-clear", () => {
    const none = reportPage({ ...report, events: [], days: [], notes: [] });
    elements(none);
    expect(none).toContain("No exposure was found.");
    expect(none).toContain("no all-clear");
    expect(none).not.toContain("<svg");
    expect(reportPage({ ...report, events: events.filter(({ safe }) => safe), days: [] })).toContain("No exposure was found that counts.");
  });

  test("tells of exposures whose transmit power is not known", () => {
    const unknown = timeline([exposure({ txPower: null, attenuation: null })], [], { cycleOf: () => 300, periods: [] });
    const words = reportPage({ ...report, events: unknown, days: [] });
    elements(words);
    expect(words).toContain("all of it not known how near. How near is not known.");
  });
});

describe("its pictures", () => {
  const nameOf = () => HOSTILE;
  const scenes = [overviewPlot(events, nameOf, UTC), eventPlot(events[0], UTC), eventPlot(events[1], UTC), daysPlot(report.days, nameOf)];

  test.each(
    scenes.map((scene) => [scene.title, scene] as const),
  )("%s: is well-formed by itself, light and dark, and inside of its frame", (_, scene) => {
    const file = svgFile(scene);
    elements(file);
    expect(file).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect(file).not.toContain("<script");
    for (const shape of scene.shapes) {
      if (shape.kind !== "rect") continue;
      expect(shape.x).toBeGreaterThanOrEqual(0);
      expect(shape.x + shape.width).toBeLessThanOrEqual(scene.width + 0.01);
      expect(shape.y + shape.height).toBeLessThanOrEqual(scene.height);
      expect(shape.width).toBeGreaterThan(0);
    }
    expect(inlineSvg(scene, "n")).not.toContain("xmlns");
    expect(Object.keys(LIGHT)).toEqual(Object.keys(DARK));
  });

  test("of the night in which clocks go back have every minute, one after the other and inside of the frame", () => {
    const begin = Date.UTC(2026, 9, 25, 0, 50) / 1000;
    const vienna = zoneCalled("Europe/Vienna");
    const [event] = timeline([exposure({ firstSeen: begin, lastSeen: begin + 1200 })], [], { cycleOf: () => 300, periods: [] });
    // 02:46 in summer to 02:11 in winter
    const scene = eventPlot(event, vienna);
    const bars = scene.shapes.flatMap((shape) => (shape.kind === "rect" && shape.title !== undefined ? [shape] : []));
    expect(bars.reduce((sum, { width }) => sum + width, 0)).toBeCloseTo(scene.width - 12 - 116, 6);
    for (const { x, width } of bars) {
      expect(width).toBeGreaterThan(0);
      expect(x + width).toBeLessThanOrEqual(scene.width - 12 + 0.01);
    }
    const times = scene.shapes.flatMap((shape) => (shape.kind === "text" && /^\d\d:\d\d$/.test(shape.text) ? [shape.text] : []));
    expect(times).toEqual(["02:50", "02:55", "02:00", "02:05", "02:10"]);
    const drawn = overviewPlot([event], () => "a", vienna).shapes.filter((shape) => shape.kind === "rect" && shape.title === undefined);
    expect(drawn.length).toBeGreaterThan(0);
    for (const shape of overviewPlot([event], () => "a", vienna).shapes) if (shape.kind === "rect") expect(shape.width).toBeGreaterThan(0);
  });

  test("as PNG have the bars where the SVG has them, in the same colour", () => {
    const [, scene] = scenes;
    const image = PNG.sync.read(pngFile(scene));
    expect([image.width, image.height]).toEqual([scene.width * 2, scene.height * 2]);
    const bar = scene.shapes.find((shape) => shape.kind === "rect" && shape.title?.startsWith("11:56"));
    if (bar?.kind !== "rect") throw new Error("no bar");
    const at = (x: number, y: number) => `#${image.data.subarray((Math.round(y * 2) * image.width + Math.round(x * 2)) * 4).toString("hex", 0, 3)}`;
    for (const y of [bar.y + 1, bar.y + bar.height - 2]) expect(at(bar.x + bar.width / 2 + 3, y)).toBe(LIGHT.near);
    expect(at(bar.x + bar.width / 2 + 3, bar.y - 1.5)).toBe(LIGHT.paper);
    expect(at(bar.x - 1, bar.y + bar.height / 2)).toBe(LIGHT.paper);
  });

  test("are taller the nearer somebody was", () => {
    const heights = [-50, -60, -70, -80, -110].map((meanRssi) => {
      const [event] = timeline([exposure({ meanRssi, maxRssi: meanRssi })], [], { cycleOf: () => 300, periods: [] });
      const bar = eventPlot(event, UTC).shapes.find((shape) => shape.kind === "rect" && shape.title !== undefined);
      return bar?.kind === "rect" ? bar.height : 0;
    });
    expect(heights).toEqual([...heights].sort((a, b) => b - a));
    expect(new Set(heights).size).toBe(5);
  });
});

describe("words", () => {
  test("times are told in the zone that was asked for, over its changes of summer time and over midnight", () => {
    const vienna = zoneCalled("Europe/Vienna");
    const summer = Date.UTC(2026, 2, 29, 0, 59) / 1000;
    expect(span(vienna.local(summer), vienna.local(summer + 120))).toBe("01:59 to 03:01");
    expect(span(NOON + 11 * 3600, NOON + 13 * 3600)).toBe("23:00 to Tuesday 01:00");
    expect(span(NOON + 11 * 3600, NOON + 12 * 3600)).toBe("23:00 to 00:00");
    expect(() => zoneCalled("Middle/Earth")).toThrow(expect.objectContaining({ code: "bad_zone" }));
  });

  test("durations are minutes, or hours and minutes", () => {
    expect([60, 3599, 3600, 7500].map(duration)).toEqual(["1 min", "1 h", "1 h", "2 h 5 min"]);
  });
});
