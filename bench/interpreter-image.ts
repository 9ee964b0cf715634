import { crc32 } from "node:zlib";
import { findBoard } from "../boards/index.ts";
import { puckjs } from "../boards/puckjs.ts";
import type { Firmware } from "../host-tools/generator/bundle.ts";
import { VirtualBoard } from "../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../host-tools/simulator/virtual-clock.ts";
import { HEAD_BYTES, HEAD_MAGIC, LOG_FILE } from "../protocols/log-format.ts";

// What the real interpreter needs of a board: flash as `tracelet flash` leaves it, and a radio that it lacks, as scripts that run before the firmware.

/** Flash of a Puck.js with a bundle, its log and a script that is there before the firmware. The Storage of a board with fewer pages lies at its beginning. */
export function flashImage(code: string, before: string, manifest?: Pick<Firmware["manifest"], "board" | "flash">): Uint8Array {
  const board = new VirtualBoard({ facts: findBoard(manifest?.board ?? puckjs.id)!, clock: new VirtualClock(0) });
  const { address, pages, pageBytes } = board.facts.storage;
  // the script takes a page that on a board is the log's
  const ringPages = manifest ? manifest.flash.ringPages - 1 : Math.min(5, pages - 2 - Math.ceil((code.length + 32) / pageBytes));
  const pagesBehind = manifest?.flash.pagesBehind ?? 0;
  const head = Buffer.alloc(HEAD_BYTES, 255);
  head.writeUInt32LE(HEAD_MAGIC, 0);
  head.fill(7, 4, 12);
  head[12] = ringPages;
  if (pagesBehind) head[13] = pagesBehind;
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  board.storage.write(LOG_FILE, head, undefined, 0, (ringPages + 1 + pagesBehind) * pageBytes - 32);
  board.storage.write(".boot0", Buffer.from(before, "latin1"));
  board.storage.write(".bootcde", Buffer.from(code, "latin1"));
  const image = new Uint8Array(puckjs.storage.pages * puckjs.storage.pageBytes).fill(255);
  image.set(board.flash.read(address, pages * pageBytes));
  return image;
}

/** The members of NRF that the firmware calls, doing nothing; `rotations` counts the addresses, `volts` is what the battery has. */
const SILENT_RADIO =
  "sleep:function(){},wake:function(){},restart:function(){},setAdvertising:function(){},setAddress:function(){rotations++},setTxPower:function(){},getSecurityStatus:function(){return{connected:false}},getBattery:function(){return volts}";

/** A radio that nothing comes in by, for so many scans at most; then the interpreter ends. */
export function radioWith(setScan: string): string {
  return `global.rotations=0;global.volts=3;global.NRF={${SILENT_RADIO},setScan:${setScan}};`;
}

/**
 * A radio with so many neighbours about, `crowd` on the global object: each is heard eight times in a scan of 2 s, and changes its identifier every 10 to 20 minutes.
 * Nothing is kept of them: an identifier is made of the number of the neighbour and the time. `most`: variables in use at most, the event included, as on a board.
 */
export function crowdedRadio(neighbours: number): string {
  return `var most=0,crowd=${neighbours};(function(){function heard(i){var s=(getTime()+i*37)/(600+i*600/crowd)|0,u=new Uint8Array(31),k,c;
u.set([2,1,26,3,3,111,253,23,22,111,253]);for(k=11;k<31;k+=4){c=E.CRC32([i,i>>8,s,s>>8,k]);u[k]=c>>24;u[k+1]=c>>16;u[k+2]=c>>8;u[k+3]=c}
return{id:"c0:00:00:00:00:01 random",rssi:-40-Math.random()*50|0,data:u.buffer,services:["fd6f"],serviceData:{fd6f:u.subarray(11)}}}
function play(f,n){for(var i=0;i<crowd;i++){f(heard(i));if(i%8<7&&i<crowd-1)continue;var m=process.memory(false).usage;if(m>most)most=m}if(n)setTimeout(play,240,f,n-1)}
${radioWith("function(f){if(f)setTimeout(play,100,f,7)}")}})();`;
}

/** For a Pixl.js on the Storage of a Puck.js: a screen that shows nothing, and where Storage begins. */
export const PIXL_SHIM = `global.Pixl={setLCDPower:function(){}};global.g={flip:function(){}};["clear","setColor","setFont","drawString","fillRect","drawImage"].forEach(function(n){g[n]=function(){return g}});
(function(m){process.memory=function(gc){var o=m(gc);o.flash_code_start=${puckjs.storage.address};return o}})(process.memory);`;
