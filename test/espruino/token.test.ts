import { describe, expect, test } from "vitest";
import { flashImage } from "../../bench/interpreter-image.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { encodeTempIdPages } from "../../host-tools/bluetrace/batch-file.ts";
import { makeBatch } from "../../host-tools/bluetrace/temp-ids.ts";
import { writePage } from "../../host-tools/device/temp-ids.ts";
import { MEETING_RECORDS } from "../../protocols/log-format.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { HAI, userId } from "../support/tokens.ts";
import { NO_INTERPRETER } from "./abilities.ts";
import { HOUR, useSites } from "./site.ts";
import { inReach, RADIO_CALLS } from "./token-radio.ts";

// A token by the real interpreter: promises, typed arrays and flash are its own; its radio is a script that plays others, since no Linux build has one.

const SET_AT = Date.UTC(2026, 2, 2, 15) / 1000;
const PATIENCE_MS = 300_000;
const PEERS = 20;
/**
 * So many tokens in reach, each heard five times in a scan. Who is connected to shows a TempID that lasts a quarter of an hour and begins with his number; the last but one answers nothing,
 * the last shows garbage. Its names are long: the bundle's are globals, too. `taken` counts what was written to them. `visit()` is a central that writes the same form to us, `most` the variables in use at most.
 */
const RADIO = `var most=0,taken=0,handed,heeded={};(function(){
function look(){var m=process.memory(true).usage;if(m>most)most=m}
function message(i,r){var u=new Uint8Array(67),c=E.CRC32("${HAI}"),k,s=getTime()/900|0;
u.set([1,r,c,c>>8,c>>16,c>>24]);for(k=6;k<67;k+=4){c=E.CRC32([i,s,s>>8,k]);u[k]=c>>24;if(k<66){u[k+1]=c>>16;u[k+2]=c>>8;u[k+3]=c}}u[6]=i;return u}
${inReach(PEERS)}function server(i){var on,up=true;
function part(uuid,a,b){return{uuid:uuid,readValue:function(){look();if(i==${PEERS - 2})return new Promise(function(r){global.never=r});
return Promise.resolve({buffer:i==${PEERS - 1}?new Uint8Array(52).fill(123).buffer:new Uint8Array(message(i,127).subarray(a,b)).buffer})},
writeValue:function(d){look();if(d.length!=b-a)throw "length";taken++;return Promise.resolve()}}}
return{device:{on:function(e,f){on=f}},getPrimaryService:function(){return Promise.resolve({getCharacteristics:function(){
return Promise.resolve([part("other",0,1),part("7e9c0001-5b1f-4c36-9a57-d3a1c64e80b2",0,50),part("7e9c0002-5b1f-4c36-9a57-d3a1c64e80b2",50,67)])}})},
disconnect:function(){if(!up)throw "Not connected";up=false;setTimeout(on,10);return Promise.resolve()}}}
global.visit=function(i){heeded.connect("d0:00:00:00:00:01 random");var s=handed[Object.keys(handed)[0]],m=message(i,-70);
s["7e9c0001-5b1f-4c36-9a57-d3a1c64e80b2"].onWrite({data:new Uint8Array(m.subarray(0,50)).buffer});
s["7e9c0002-5b1f-4c36-9a57-d3a1c64e80b2"].onWrite({data:new Uint8Array(m.subarray(50,67)).buffer});heeded.disconnect()};
global.NRF={${RADIO_CALLS}setServices:function(s){handed=s},on:function(e,f){heeded[e]=f},
connect:function(a){return new Promise(function(r){setTimeout(r,60,server(parseInt(a.substr(15,2),16)-16))})}}})();`;

describe.skipIf(NO_INTERPRETER)("a token on the real interpreter", () => {
  const sites = useSites();

  test(
    "meets twenty others for hours, two of whom are none: whole TempIDs in its log, room left, and the same after a start",
    async (context) => {
      if (!sites.canPlay()) return context.skip();
      const { code, manifest } = await firmwareFor("token", "puckjs", {}, [], ["bluetrace"]);
      const site = sites.at(flashImage(code, RADIO, manifest));
      await site.interpreter.advance(3000);
      await site.reach();
      await site.link.setClock(SET_AT, 0, 20);
      expect(await site.link.status()).toMatchObject({ ha: "", te: [0, 0, 0, 0], ad: 0 });
      const batch = makeBatch(new Uint8Array(32), userId(1), SET_AT);
      for (const [i, page] of encodeTempIdPages(batch, { org: HAI, model: "device", service: 0 }).entries()) await writePage(site.link, i, page);
      await site.pass(HOUR / 2);
      const { ha, te, me, er, ad } = await site.link.status();
      expect({ ha, er }).toEqual({ ha: HAI, er: [0, 0, 0] });
      expect(ad).toBeLessThan(2);
      expect(te![0]).toBe(98);
      // about ten cycles of one cut, one refused and many meetings each two cycles
      expect(me![0]).toBeGreaterThan(100);
      expect(me![1]).toBeGreaterThan(5);
      expect(me![3]).toBeGreaterThan(5);
      expect(await site.value("taken")).toBe(2 * me![0]);
      const before = me![0];
      await site.value("(visit(77),0)");
      expect((await site.link.status()).me![0]).toBe(before + 1);
      const records = await site.records();
      const whole = records.filter(({ kind }) => kind === "meeting");
      expect(whole.length).toBeGreaterThan(30);
      expect(records.filter(({ kind }) => kind === "meeting-part")).toHaveLength((MEETING_RECORDS - 1) * whole.length);
      expect(records.filter(({ kind }) => kind === "damaged")).toEqual([]);
      expect(new Set(whole.map((one) => one.kind === "meeting" && one.begin[0])).size).toBe(PEERS - 2 + 1);
      await site.restart();
      await site.pass(HOUR / 2);
      expect(await site.link.status()).toMatchObject({ ha: HAI, er: [0, 0, 0] });
      const most = await site.value("most");
      const inUse = await site.value("process.memory().usage");
      console.log(`token among ${PEERS}: ${inUse} of ${puckjs.variables.count} variables, ${most} at most, the radio's stand-in included`);
      expect(most).toBeLessThan(0.85 * puckjs.variables.count);
    },
    PATIENCE_MS,
  );
});
