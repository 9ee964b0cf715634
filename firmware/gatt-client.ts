import { tick } from "./board-clock.ts";

// Links that this board makes: one at a time, and nobody has one for longer than it was given. While one is being made the radio stack must not restart, or the interpreter
// would wait for it for ever.

/** Seconds in which a link ends that was asked to, and an attempt that has begun. */
export const ENDING = 5;
/** ms. The stack first agrees on the MTU; who asks for services before that waits half a second. */
const SETTLE_MS = 50;
/** ms. Without an upper limit a lost link would be noticed after 10 s. */
const INTERVALS = { minInterval: 8, maxInterval: 50 };
const STUCK = 10;

/** Links that were cut for taking too long, and connections that the radio refused; since the start. */
export let cuts = 0;
export let refusals = 0;

/** The peer of the link that runs, "" without one; until when it may run, ticks. */
let peer = "";
let until = 0;
let isCut = false;
/** Times in a row that the radio would not connect. */
let stuck = 0;
let link: RemoteServer | undefined;

/** Is a link under way? Answers the seconds that it still has, 0 without one. Who has had all of them is cut. */
export function linked(): number {
  if (!peer) return 0;
  const left = until - tick();
  if (left > 0) return left;
  if (isCut) {
    // neither a link nor its end: nothing more comes of it
    peer = "";
    return 0;
  }
  isCut = true;
  until = tick() + ENDING;
  // an attempt ends by itself; before that the stack must not restart, or the interpreter would wait for it for ever
  if (link) {
    cuts++;
    try {
      link.disconnect();
    } catch (_e) {
      // a task was under way; the link ends all the same
    }
  }
  return ENDING;
}

/** Does somebody wait for the radio? Then no further link is to be begun. */
export let isWaitedFor = false;
/** Calls `work` as soon as no link is under way. */
export function whenFree(work: () => void): void {
  isWaitedFor = linked() > 0;
  if (isWaitedFor)
    setTimeout(function () {
      whenFree(work);
    }, 500);
  else work();
}

/**
 * Connects to `address`, for `seconds` at most. `talk`: what is said then; the link ends with its promise. `over`: the radio is free again; `met`: it was connected, and in time. It isn't called
 * where neither a link nor its end ever came.
 */
export function linkTo(address: string, seconds: number, talk: (server: RemoteServer) => Pledge<unknown>, over: (met: boolean) => void): void {
  let mine: RemoteServer | undefined;
  peer = address;
  until = tick() + seconds;
  link = undefined;
  isCut = false;
  function finish(): void {
    // whoever asked for its end now would end the attempt that follows
    mine = undefined;
    if (peer !== address) return;
    const met = !!link;
    peer = "";
    link = undefined;
    over(met);
  }
  function end(): void {
    try {
      mine!.disconnect().catch(function () {
        // it has ended by itself
      });
    } catch (_e) {
      // the same, or it is no more
    }
  }
  function failed(): void {
    if (mine) end();
    // nobody was there, or the radio refused
    else finish();
  }
  try {
    NRF.connect(address, INTERVALS)
      .then(function (server) {
        mine = server;
        stuck = 0;
        server.device.on("gattserverdisconnected", finish);
        // it comes when its time is over
        if (peer !== address || isCut) throw "late";
        link = server;
        setTimeout(function () {
          try {
            talk(server).then(end).catch(end);
          } catch (_e) {
            end();
          }
        }, SETTLE_MS);
      })
      .catch(failed);
  } catch (_e) {
    refusals++;
    // a task of the interpreter's that never ends: nothing but a new start takes it away
    if (++stuck === STUCK) load();
    failed();
  }
}
