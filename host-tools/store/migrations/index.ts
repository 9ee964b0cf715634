import { first } from "./001-first.ts";
import { clockContacts } from "./002-clock-contacts.ts";
import { dense } from "./003-dense.ts";
import { otherProtocols } from "./004-other-protocols.ts";
import { messages } from "./005-messages.ts";
import { contacts } from "./006-contacts.ts";
import { meetings } from "./007-meetings.ts";
import { importedMeetings } from "./008-imported-meetings.ts";
import { marks } from "./009-marks.ts";

/** SQL of each step, oldest first. A step is never changed once released; `PRAGMA user_version` counts those a database has seen. */
export const MIGRATIONS: readonly string[] = [first, clockContacts, dense, otherProtocols, messages, contacts, meetings, importedMeetings, marks];
