import type { BoardContact } from "./who-met-whom.ts";

// Contact lists as the SocioPatterns collaboration publishes them: one line for each pair and each 20 s in which it was in contact, `t i j`, with tabs between them. t is the end of the
// interval, in seconds; i and j are numbers of people. Source: sociopatterns.org, data sets such as "High school contact and friendship networks" (2015).

export const INTERVAL = 20;

export interface ContactList {
  /** `t i j`, in order of time, then of numbers; i less than j. */
  lines: string[];
  /** Boards by number, from 1 on, in order of their ids. */
  boards: string[];
}

/**
 * Who was in contact in which 20 s. Either board's encounter will do, and one in which the other was heard once makes a contact of the interval it was heard in.
 * An encounter is one contact from its first sighting to its last: boards scan now and then, so that shorter gaps can't be seen.
 */
export function contactList(contacts: readonly BoardContact[]): ContactList {
  const boards = [...new Set(contacts.flatMap(({ listener, sender }) => [listener, sender]))].sort();
  const numbers = new Map(boards.map((board, i) => [board, i + 1]));
  const intervals = new Map<number, Set<string>>();
  for (const { listener, sender, firstSeen, lastSeen } of contacts) {
    const [i, j] = [numbers.get(listener)!, numbers.get(sender)!].sort((a, b) => a - b);
    for (let t = intervalOf(firstSeen); t <= intervalOf(lastSeen); t += INTERVAL) {
      const pairs = intervals.get(t);
      if (pairs) pairs.add(`${i}\t${j}`);
      else intervals.set(t, new Set([`${i}\t${j}`]));
    }
  }
  const times = [...intervals.keys()].sort((a, b) => a - b);
  return { lines: times.flatMap((t) => [...intervals.get(t)!].sort(byNumbers).map((pair) => `${t}\t${pair}`)), boards };
}

/** End of the interval that a second belongs to; one that falls on an end belongs to the next. */
function intervalOf(unix: number): number {
  return (Math.floor(unix / INTERVAL) + 1) * INTERVAL;
}

function byNumbers(a: string, b: string): number {
  const [[a1, a2], [b1, b2]] = [a, b].map((pair) => pair.split("\t").map(Number));
  return a1 - b1 || a2 - b2;
}
