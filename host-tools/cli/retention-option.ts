import { type Command, InvalidArgumentError } from "commander";
import { MEETING_DAYS, type Purged, RETENTION_DAYS } from "../store/retention.ts";

const MOST_DAYS = 36_500;

function days(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > MOST_DAYS) throw new InvalidArgumentError(`whole days from 0 to ${MOST_DAYS} are expected.`);
  return Number(text);
}

/** Adds `--retention`: commands that put something into the database delete what is too old (COM-05). */
export function withRetentionOption(command: Command): Command {
  return command.option(
    "--retention <days>",
    `afterwards delete what is older than this; imported rows age from their import (default: ${RETENTION_DAYS}, meetings of BlueTrace ${MEETING_DAYS})`,
    days,
  );
}

/** What was deleted for its age as lines for a person; none where nothing was. */
export function describePurged({ encounters, sightings, keys, messages }: Purged): string[] {
  if (encounters + sightings + keys + messages === 0) return [];
  return [
    `  deleted for their age: ${encounters} encounters, ${sightings} sightings, ${keys} keys${messages ? `, ${messages} SmartBeacon messages` : ""}; --retention sets the days`,
  ];
}
