import type { Position } from "../simulator/air.ts";

/** Where three wearers are on a virtual day. Two know nothing of each other; both meet the third, who turns out to be ill. */

/** 2026-03-02 05:00 UTC. Over midnight, so that keys roll while people are together. */
export const DAY_BEGINS = Date.UTC(2026, 2, 2, 5) / 1000;
export const DAY_SECONDS = 24 * 3600;
export const SEED = 20260302;

export interface Meeting {
  /** Minutes since the day began. */
  from: number;
  to: number;
  /** Metres between neighbours. */
  apart: number;
  who: number[];
  what: string;
}

/** Wearer 2 is the ill one. */
export const ILL = 2;
export const WEARERS = ["Puck 1", "Puck 2", "Puck 3"];
export const MEETINGS: Meeting[] = [
  { from: 3 * 60, to: 3 * 60 + 45, apart: 1.2, who: [0, 2], what: "a talk over a desk" },
  { from: 7 * 60 + 10, to: 7 * 60 + 40, apart: 3, who: [0, 1, 2], what: "lunch at a long table" },
  { from: 12 * 60, to: 12 * 60 + 20, apart: 8, who: [1, 2], what: "two ends of a bus" },
  { from: 14 * 60, to: 15 * 60, apart: 2, who: [0, 1], what: "a walk; the ill one isn't there" },
  { from: 18 * 60 + 40, to: 19 * 60 + 25, apart: 1.5, who: [1, 2], what: "an evening over midnight" },
];

/** What the wearers mark of their day; minutes since it began. */
export const MARKS: { who: number; kind: "mask" | "place"; place: string | null; from: number; to: number }[] = [
  { who: 0, kind: "place", place: "Office", from: 2 * 60, to: 7 * 60 },
  { who: 0, kind: "place", place: "Canteen", from: 7 * 60, to: 8 * 60 },
  { who: 1, kind: "place", place: "Canteen", from: 7 * 60, to: 8 * 60 },
  { who: 1, kind: "place", place: "Bus 12", from: 11 * 60 + 30, to: 12 * 60 + 30 },
  { who: 1, kind: "mask", place: null, from: 11 * 60 + 30, to: 12 * 60 + 12 },
];

/** Homes are out of reach of each other; meetings have a place of their own. */
export function positionOf(wearer: number): (time: number) => Position {
  const home = { x: wearer * 5000, y: 0 };
  return (time) => {
    const minute = (time - DAY_BEGINS) / 60;
    const meeting = MEETINGS.findIndex((one) => minute >= one.from && minute < one.to && one.who.includes(wearer));
    if (meeting < 0) return home;
    return { x: -5000 * (meeting + 1) + MEETINGS[meeting].who.indexOf(wearer) * MEETINGS[meeting].apart, y: 0 };
  };
}
