import { describe, expect, test } from "vitest";
import { flashImage } from "../../bench/interpreter-image.ts";
import { nrf52840dk } from "../../boards/nrf52840dk.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { encodeTempIdPages } from "../../host-tools/bluetrace/batch-file.ts";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import { writePage } from "../../host-tools/device/temp-ids.ts";
import { buildFirmware } from "../../host-tools/generator/bundle.ts";
import { HAI, userId } from "../support/tokens.ts";
import { NO_INTERPRETER } from "./abilities.ts";
import { HOUR, useSites } from "./site.ts";
import { inReach, RADIO_CALLS } from "./token-radio.ts";

// A token that reads phones' packets, by the real interpreter: its parser, its promises in promises. The radio is a script, as in token.test.ts.

const SET_AT = Date.UTC(2026, 2, 2, 15) / 1000;
const PATIENCE_MS = 300_000;
const PHONES = 20;
/**
 * So many phones in reach, each heard five times in a scan. Each shows one characteristic, of which a read answers 130 bytes: a packet with a TempID that lasts a quarter of an hour. Of the last three, one has a
 * model too long, one another authority, and one answers nothing. The parser and what follows it call `parseInt` and `btoa`, so memory is looked at there, too. `read` counts whole packets; nothing may be written.
 */
const RADIO = `var most=0,read=0,written=0;(function(){
function look(){var m=process.memory(true).usage;if(m>most)most=m}
var number=parseInt,base64=btoa;
global.parseInt=function(a,b){look();return number(a,b)};global.btoa=function(a){look();return base64(a)};
function shown(i){var u=new Uint8Array(61),s=getTime()/900|0,k,c;
for(k=0;k<61;k++){c=E.CRC32([i,s,s>>8,k]);u[k]=c}u[0]=i;
return '{"id":"'+base64(u)+'","mp":"'+(i==${PHONES - 3}?"a model too long":"Pixel 3")+'","o":"'+(i==${PHONES - 2}?"ZZ_HAI":"${HAI}")+'","v":2}'}
${inReach(PHONES)}function server(i){var on,up=true;
return{device:{on:function(e,f){on=f}},getPrimaryService:function(){return Promise.resolve({getCharacteristics:function(){
return Promise.resolve([{uuid:"117bdd58-57ce-4e7a-8e87-7cccdda2a804",readValue:function(){look();if(i==${PHONES - 1})return new Promise(function(r){global.never=r});
if(i<${PHONES - 3})read++;return Promise.resolve({buffer:E.toArrayBuffer(shown(i).substr(0,130))})},
writeValue:function(){written++;return Promise.resolve()}}])}})},
disconnect:function(){look();if(!up)throw "Not connected";up=false;setTimeout(on,10);return Promise.resolve()}}}
global.NRF={${RADIO_CALLS}setServices:function(){},on:function(){},
connect:function(a){return new Promise(function(r){setTimeout(r,60,server(number(a.substr(15,2),16)-16))})}}})();`;

describe.skipIf(NO_INTERPRETER)("a token with S140's MTU on the real interpreter", () => {
  const sites = useSites();

  test(
    "meets twenty phones, of whom three are no peers: each whole packet is a meeting, nothing else is, and its variables are what the build reckons with",
    async (context) => {
      if (!sites.canPlay()) return context.skip();
      // the interpreter's flash is laid out as a Puck.js's
      const { code, manifest } = await buildFirmware({ board: { ...puckjs, gatt: nrf52840dk.gatt }, role: "token", protocols: ["bluetrace"] });
      const site = sites.at(flashImage(code, RADIO, manifest));
      await site.interpreter.advance(3000);
      await site.reach();
      await site.link.setClock(SET_AT, 0, 20);
      const batch = makeBatch(new Uint8Array(32), userId(1), SET_AT);
      for (const [i, page] of encodeTempIdPages(batch, { org: HAI, model: "device", service: 0 }).entries()) await writePage(site.link, i, page);
      await site.pass(HOUR / 2);
      const { ha, me, er } = await site.link.status();
      expect({ ha, er }).toEqual({ ha: HAI, er: [0, 0, 0] });
      expect(me![0]).toBeGreaterThan(100);
      expect(me![0]).toBe(await site.value("read"));
      expect(me![1]).toBeGreaterThan(10);
      expect(me![2]).toBe(0);
      expect(me![3]).toBeGreaterThan(5);
      expect(await site.value("written")).toBe(0);
      const records = await site.records();
      const whole = records.filter(({ kind }) => kind === "meeting");
      expect(new Set(whole.map((one) => one.kind === "meeting" && one.begin[0])).size).toBe(PHONES - 3);
      expect(records.filter(({ kind }) => kind === "damaged")).toEqual([]);
      const most = await site.value("most");
      const { estimated, atWork } = manifest.variables;
      console.log(
        `token among ${PHONES} phones: ${await site.value("process.memory().usage")} in use, ${most} at most, the radio's stand-in included; estimated ${estimated}, at work ${atWork}`,
      );
      expect(most).toBeLessThan(atWork);
    },
    PATIENCE_MS,
  );
});
