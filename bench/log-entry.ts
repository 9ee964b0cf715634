import * as clock from "../firmware/board-clock.ts";
import * as log from "../firmware/encounter-log.ts";
import { settings } from "../firmware/settings.ts";

// The firmware's log without the rest of it, bundled as a firmware is: on the global object `tracelet`. In the board's dialect.

(global as unknown as { [name: string]: unknown }).tracelet = {
  open: log.openLog,
  append: log.append,
  appendSettings: log.appendSettings,
  appendClock: log.appendClock,
  acknowledge: log.acknowledge,
  baseTick: log.baseTick,
  eachOf: log.eachOf,
  deleteRecord: log.deleteRecord,
  deleteExpired: log.deleteExpired,
  tick: clock.tick,
  settings: settings,
  state: () => [log.nextSequence(), log.era, log.acknowledged, log.flashErrors, log.dropped, log.writesDense() ? 1 : 0],
};
