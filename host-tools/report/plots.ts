import type { Paint, Scene, Shape } from "./scene.ts";
import { type ExposureEvent, runs } from "./timeline.ts";
import { clockTime, counted, dayName, duration, NEARNESS, NEARNESS_THRESHOLDS, nearness, PROTECTION, span, type Zone } from "./words.ts";

const WIDTH = 760;
const DAY = 86400;
const HOUR = 3600;
const CLASS_PAINTS: Paint[] = ["very-near", "near", "some-way", "far", "unknown"];

export const paintOf = (attenuation: number | null): Paint => CLASS_PAINTS[nearness(attenuation)];

/** Steps between marks of a time axis, seconds: the first that needs no more than eight of them. */
const STEPS = [300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY];

/** About as wide as text of a system font is at most. */
const textWidth = (text: string) => text.length * 6.6;

function shortened(text: string, width: number): string {
  const most = Math.max(1, Math.floor(width / 6.6));
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}

/** What a clock on the wall shows from one time to another, both on a minute: one stretch, or two where it is changed meanwhile. */
function onTheWall({ from, to }: { from: number; to: number }, zone: Zone): { from: number; to: number }[] {
  const parts: { from: number; to: number }[] = [];
  for (let unix = from; unix < to; unix += 60) {
    const local = zone.local(unix);
    const last = parts[parts.length - 1];
    if (last?.to === local) last.to += 60;
    else parts.push({ from: local, to: local + 60 });
  }
  return parts;
}

/** The nearest that an event came. */
export function nearest(event: ExposureEvent): number | null {
  const known = event.minutes.flatMap(({ attenuation }) => (attenuation === null ? [] : [attenuation]));
  return known.length > 0 ? Math.min(...known) : null;
}

/** One row a board and day with events, midnight to midnight. `nameOf`: of a board. */
export function overviewPlot(events: readonly ExposureEvent[], nameOf: (board: string | null) => string, zone: Zone): Scene {
  const left = 190;
  const right = WIDTH - 12;
  const row = 34;
  const rows = new Map<string, { name: string; day: number; parts: { event: ExposureEvent; from: number; to: number }[] }>();
  for (const event of events) {
    // where clocks go back it may end before it begins
    const [from, to] = [zone.local(event.from), zone.local(event.to)].sort((a, b) => a - b);
    for (let day = Math.floor(from / DAY); day * DAY < to; day++) {
      const name = nameOf(event.board);
      const key = `${day} ${event.board}`;
      const found = rows.get(key) ?? { name, day, parts: [] };
      found.parts.push({ event, from: Math.max(from, day * DAY), to: Math.min(to, (day + 1) * DAY) });
      rows.set(key, found);
    }
  }
  const sorted = [...rows.values()].sort((a, b) => a.day - b.day || (a.name < b.name ? -1 : 1));
  const top = 8;
  const bottom = top + sorted.length * row;
  const x = (seconds: number) => left + (seconds / DAY) * (right - left);
  const shapes: Shape[] = [];
  for (let hour = 0; hour <= 24; hour += 3) {
    shapes.push({ kind: "line", x1: x(hour * HOUR), y1: top, x2: x(hour * HOUR), y2: bottom, paint: "grid" });
    const text = hour === 24 ? "24:00" : clockTime(hour * HOUR);
    shapes.push({ kind: "text", x: x(hour * HOUR), y: bottom + 16, text, paint: "soft", anchor: hour === 24 ? "end" : "middle" });
  }
  sorted.forEach(({ name, day, parts }, i) => {
    const y = top + i * row;
    shapes.push({ kind: "text", x: 0, y: y + 14, text: shortened(name, left - 10), paint: "ink", anchor: "start", bold: true });
    shapes.push({ kind: "text", x: 0, y: y + 28, text: dayName(day * DAY).replace(/ \d{4}$/, ""), paint: "soft", anchor: "start" });
    shapes.push({ kind: "line", x1: left, y1: y + row - 0.5, x2: right, y2: y + row - 0.5, paint: "grid" });
    for (const { event, from, to } of parts) {
      for (const run of runs(event.minutes)) {
        for (const part of onTheWall(run, zone)) {
          const [begin, end] = [Math.max(part.from, day * DAY), Math.min(part.to, (day + 1) * DAY)];
          if (end <= begin) continue;
          const place = { x: x(begin - day * DAY), y: y + 8, width: Math.max(1.5, x(end) - x(begin)), height: 16 };
          shapes.push({ kind: "rect", ...place, paint: paintOf(run.minute.attenuation), outline: event.safe });
        }
      }
      // the whole of it once more, to be pointed at
      const words = `${event.number}: ${span(zone.local(event.from), zone.local(event.to))}${event.safe ? ", marked as safe" : ""}`;
      const width = Math.max(2, x(to) - x(from));
      shapes.push({
        kind: "rect",
        x: x(from - day * DAY),
        y: y + 26,
        width,
        height: 2,
        paint: event.minutes.some((one) => one.protection.length > 0) ? "protected" : "soft",
        title: words,
      });
      const at = x((from + to) / 2 - day * DAY);
      shapes.push({
        kind: "text",
        x: Math.min(right - 6, Math.max(left + 6, at)),
        y: y + 6.5,
        text: String(event.number),
        paint: "soft",
        anchor: "middle",
      });
    }
  });
  const description = sorted.map(
    ({ name, day, parts }) =>
      `${name}, ${dayName(day * DAY)}: ${parts.map(({ event }) => span(zone.local(event.from), zone.local(event.to))).join("; ")}.`,
  );
  return { width: WIDTH, height: bottom + 24, title: "When somebody was near", description: description.join(" "), shapes };
}

/** An event: a bar for each minute, the taller the nearer; below it what protected the wearer, and where that was. */
export function eventPlot(event: ExposureEvent, zone: Zone): Scene {
  const left = 116;
  const right = WIDTH - 12;
  const [nearEdge, farEdge] = [35, 100];
  const [top, bottom] = [10, 170];
  const { from, to } = event;
  const x = (unix: number) => left + ((unix - from) / (to - from)) * (right - left);
  const y = (attenuation: number) => top + ((Math.min(Math.max(attenuation, nearEdge), farEdge) - nearEdge) / (farEdge - nearEdge)) * (bottom - top);
  const shapes: Shape[] = [];
  const edges = [nearEdge, ...NEARNESS_THRESHOLDS, farEdge];
  NEARNESS.slice(0, 4).forEach((words, i) => {
    const middle = (y(edges[i]) + y(edges[i + 1])) / 2;
    shapes.push({ kind: "rect", x: left - 16, y: middle - 4, width: 8, height: 8, paint: CLASS_PAINTS[i] });
    shapes.push({ kind: "text", x: left - 22, y: middle + 4, text: words, paint: "ink", anchor: "end" });
    if (i < 3) shapes.push({ kind: "line", x1: left - 4, y1: y(edges[i + 1]), x2: right, y2: y(edges[i + 1]), paint: "grid" });
  });
  const step = STEPS.find((one) => (to - from) / one <= 8) ?? DAY;
  const ticks: { time: number; at: number }[] = [];
  // minute by minute: over a change of summer time marks of the wall's clock are not equally far apart
  for (let unix = from; unix <= to; unix += 60) {
    const time = zone.local(unix);
    if (time % step === 0) ticks.push({ time, at: x(unix) });
  }
  for (const { at } of ticks) shapes.push({ kind: "line", x1: at, y1: top, x2: at, y2: bottom, paint: "grid" });
  for (const { from: begin, to: end, minute } of runs(event.minutes)) {
    const { attenuation, strongest } = minute;
    const height = attenuation === null ? 12 : Math.max(3, bottom - y(attenuation));
    const words = attenuation === null ? "attenuation not known" : `${attenuation} dB, ${NEARNESS[nearness(attenuation)]}`;
    shapes.push({
      kind: "rect",
      x: x(begin),
      y: bottom - height,
      width: x(end) - x(begin),
      height,
      paint: paintOf(attenuation),
      outline: event.safe,
      title: `${span(zone.local(begin), zone.local(end))}: ${words}`,
    });
    if (strongest !== null && attenuation !== null && strongest < attenuation)
      shapes.push({ kind: "line", x1: x(begin), y1: y(strongest), x2: x(end), y2: y(strongest), paint: paintOf(attenuation), dashed: true });
  }
  for (const { at, heard } of event.minutes)
    if (heard) shapes.push({ kind: "line", x1: x(at + 30), y1: bottom + 2, x2: x(at + 30), y2: bottom + 7, paint: "ink" });
  const next = strips(event, x, bottom + 12, left, shapes);
  shapes.push({ kind: "line", x1: left, y1: bottom, x2: right, y2: bottom, paint: "soft" });
  for (const { time, at } of ticks)
    shapes.push({ kind: "text", x: Math.min(at, right - 16), y: next + 14, text: clockTime(time), paint: "soft", anchor: "middle" });
  return { width: WIDTH, height: next + 22, title: `How near, event ${event.number}`, description: describeEvent(event, zone), shapes };
}

/** Rows of what protected and where it was. Answers where they end. */
function strips(event: ExposureEvent, x: (unix: number) => number, top: number, left: number, shapes: Shape[]): number {
  let y = top;
  const row = (name: string, paint: Paint, holds: (minute: ExposureEvent["minutes"][number]) => string) => {
    const parts: { from: number; to: number; text: string }[] = [];
    for (const minute of event.minutes) {
      const text = holds(minute);
      const last = parts[parts.length - 1];
      if (last && last.text === text && last.to === minute.at) last.to += 60;
      else parts.push({ from: minute.at, to: minute.at + 60, text });
    }
    const told = parts.filter(({ text }) => text !== "");
    if (told.length === 0) return;
    shapes.push({ kind: "text", x: left - 8, y: y + 12, text: name, paint, anchor: "end" });
    for (const { from, to, text } of told) {
      const width = x(to) - x(from);
      shapes.push({ kind: "rect", x: x(from), y, width, height: 16, paint, title: text });
      if (textWidth("m") * 3 < width)
        shapes.push({ kind: "text", x: x(from) + 4, y: y + 12, text: shortened(text, width - 8), paint: "paper", anchor: "start" });
    }
    y += 20;
  };
  row("protected", "protected", ({ protection }) => protection.map((kind) => PROTECTION[kind]).join(", "));
  row("place", "place", ({ places }) => places.join(", "));
  return y;
}

/** Minutes of an event by how near: `12 min near, 5 min some way off`. */
export function minutesByNearness(event: ExposureEvent): string {
  return NEARNESS.flatMap((word, i) => {
    const count = event.minutes.filter(({ attenuation }) => nearness(attenuation) === i).length;
    const words = i === NEARNESS.length - 1 ? "not known how near" : word;
    if (count === event.minutes.length) return [`${duration(count * 60)}, all of it ${words}`];
    return count === 0 ? [] : [`${duration(count * 60)} ${words}`];
  }).join(", ");
}

function describeEvent(event: ExposureEvent, zone: Zone): string {
  const protectedMinutes = event.minutes.filter(({ protection }) => protection.length > 0).length;
  const places = [...new Set(event.minutes.flatMap((minute) => minute.places))];
  return [
    `${dayName(zone.local(event.from))}, about ${span(zone.local(event.from), zone.local(event.to))}: ${minutesByNearness(event)}.`,
    ...(event.senders.length > 1 ? [`${counted(event.senders.length, "key")} were heard.`] : []),
    ...(places.length > 0 ? [`Place: ${places.join(", ")}.`] : []),
    ...(protectedMinutes > 0 ? [`Protected for ${duration(protectedMinutes * 60)} of it.`] : []),
    ...(event.safe ? ["Marked as safe: in no score."] : []),
  ].join(" ");
}

/** A day of a board, in weighed minutes. */
export interface ScoredDay {
  board: string | null;
  /** Days since 1970, UTC. */
  day: number;
  scoreSeconds: number;
  heardSeconds: number;
}

/** Weighed minutes from which on many health authorities warned. */
export const USUAL_LIMIT = 15;

export function daysPlot(days: readonly ScoredDay[], nameOf: (board: string | null) => string): Scene {
  const left = 240;
  const right = WIDTH - 70;
  const row = 30;
  const most = Math.max(2 * USUAL_LIMIT, ...days.map(({ scoreSeconds }) => scoreSeconds / 60));
  const x = (minutes: number) => left + (minutes / most) * (right - left);
  const top = 18;
  const bottom = top + days.length * row;
  const shapes: Shape[] = [{ kind: "line", x1: left, y1: top, x2: left, y2: bottom, paint: "soft" }];
  days.forEach(({ board, day, scoreSeconds }, i) => {
    const y = top + i * row;
    const minutes = scoreSeconds / 60;
    const date = dayName(day * DAY).replace(/^(\w{3})\w* (\d+) (\w{3})\w* \d+$/, "$1 $2 $3");
    shapes.push({ kind: "text", x: 0, y: y + 18, text: shortened(nameOf(board), left - 100), paint: "ink", anchor: "start", bold: true });
    shapes.push({ kind: "text", x: left - 8, y: y + 18, text: date, paint: "soft", anchor: "end" });
    shapes.push({
      kind: "rect",
      x: left,
      y: y + 6,
      width: Math.max(1, x(minutes) - left),
      height: 16,
      paint: minutes >= USUAL_LIMIT ? "near" : "some-way",
    });
    shapes.push({ kind: "text", x: x(minutes) + 6, y: y + 18, text: `${minutes.toFixed(1)} min`, paint: "ink", anchor: "start" });
  });
  shapes.push({ kind: "line", x1: x(USUAL_LIMIT), y1: top - 4, x2: x(USUAL_LIMIT), y2: bottom, paint: "limit", dashed: true });
  shapes.push({ kind: "text", x: x(USUAL_LIMIT), y: top - 7, text: `${USUAL_LIMIT} min`, paint: "limit", anchor: "middle" });
  const description = days.map(
    ({ board, day, scoreSeconds }) => `${nameOf(board)}, ${dayName(day * DAY)}: ${(scoreSeconds / 60).toFixed(1)} weighed minutes.`,
  );
  return { width: WIDTH, height: bottom + 6, title: "Weighed minutes of each day", description: description.join(" "), shapes };
}
