/**
 * Contacts of a hub date a log by themselves: `tick_ms`, milliseconds since the era began, belongs to `host_ms`.
 * `left_out` 1: the user said that the hub's clock was wrong then. Nothing is deleted, it only doesn't count.
 */
export const clockContacts = `
ALTER TABLE clock_syncs ADD COLUMN tick_ms INTEGER;
ALTER TABLE clock_syncs ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE clocks ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
`;
