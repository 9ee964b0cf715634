import { describe, expect, test } from "vitest";
import { crowdedRadio, flashImage } from "../../bench/interpreter-image.ts";
import { puckjs } from "../../boards/puckjs.ts";
import { decodeKeysOfOthers } from "../../host-tools/store/keys-of-others.ts";
import { CHARACTERISTIC as EPHID } from "../../protocols/dp3t/advertisement.ts";
import { CHARACTERISTIC, SERVICE } from "../../protocols/opencovidtrace/advertisement.ts";
import { OPENCOVIDTRACE_TAG } from "../../protocols/protocol-tags.ts";
import { TRANSMIT } from "../../protocols/settings.ts";
import { firmwareFor } from "../support/built-firmware.ts";
import { NO_INTERPRETER } from "./abilities.ts";
import { HOUR, useSites } from "./site.ts";

// Identifiers that are read over connections, and offered, by the real interpreter: promises, memory and flash are its own; its radio is a script that plays others, since no Linux build has one.

const SET_AT = Date.UTC(2026, 2, 2, 15) / 1000;
const PATIENCE_MS = 300_000;
const PEERS = 16;
/**
 * Beside thirty neighbours of GAEN so many peers, each heard five times in a scan: DP-3T in the background and OpenCovidTrace in turn, whose identifier begins with their number. The last but one
 * answers nothing, the last shows 52 bytes. `answered` counts what was read of the others, `handed` is what the firmware offers.
 */
const RADIO = `${crowdedRadio(30)}var answered=0,handed,pairs=1;(function(){var scan=NRF.setScan;
function look(){var m=process.memory(true).usage;if(m>most)most=m}
function address(i){return "c1:00:00:00:00:"+(16+i).toString(16)+" random"}
function packet(i){return new Uint8Array(i%2?[2,1,6,17,7,159,202,220,36,14,229,169,224,147,243,163,181,2,0,64,110]:[2,1,26,3,3,104,253])}
function play(f,n){for(var i=0;i<${PEERS};i++)f({id:address(i),rssi:-50-i,data:packet(i).buffer});look();if(n)setTimeout(play,300,f,n-1)}
function value(i){var u=new Uint8Array(i==${PEERS - 1}?52:i%2?32:16),s=getTime()/600|0;u.fill(E.CRC32([i,s,s>>8]));u[0]=i;return u}
function server(i){var on,no,up=true;
return{device:{on:function(e,f){on=f}},getPrimaryService:function(u){return Promise.resolve(u!=(i%2?"${SERVICE}":"fd68")?undefined:{getCharacteristic:function(c){
return Promise.resolve(c!=(i%2?"${CHARACTERISTIC}":"${EPHID}")?undefined:{uuid:c,readValue:function(){look();if(i==${PEERS - 2})return new Promise(function(r,j){no=j});
if(i<${PEERS - 2})answered++;return Promise.resolve({buffer:value(i).buffer})}})}})},
disconnect:function(){look();if(!up)throw "Not connected";up=false;if(no)no("Disconnected");setTimeout(on,10);return Promise.resolve()}}}
NRF.setScan=function(f,o){scan(f,o);if(f)setTimeout(play,150,f,4)};
NRF.on=function(){};NRF.disconnect=function(){};NRF.setSecurity=function(o){pairs=+o.pair};
NRF.setServices=function(s,o){handed=s;handed.uart=o.uart};
NRF.connect=function(a){return new Promise(function(r){setTimeout(r,60,server(parseInt(a.substr(15,2),16)-16))})}})();`;

describe.skipIf(NO_INTERPRETER)("a wearable that reads identifiers on the real interpreter", () => {
  const sites = useSites();

  test(
    "reads sixteen peers for hours, two of whom have none, among thirty neighbours; offers its own; room is left",
    async (context) => {
      if (!sites.canPlay()) return context.skip();
      const { code, manifest } = await firmwareFor("wearable", "puckjs", {}, ["gatt"], ["gaen", "dp3t", "opencovidtrace"]);
      const site = sites.at(flashImage(code, RADIO, manifest));
      await site.interpreter.advance(3000);
      await site.reach();
      await site.link.setClock(SET_AT, 0, 20);
      await site.link.changeSetting(TRANSMIT, 1 << OPENCOVIDTRACE_TAG);
      await site.pass(2 * HOUR);
      const { gr, er, ad, op } = await site.link.status();
      expect(er).toEqual([0, 0, 0]);
      expect(ad).toBe(1);
      expect(op).toBeGreaterThan(30);
      // 24 scans: all of those who have something are read after each, within half a minute
      expect(gr![0]).toBeGreaterThan(24 * (PEERS - 2) * 0.9);
      expect(gr![0]).toBe(await site.value("answered"));
      expect(gr![1]).toBeGreaterThan(40);
      expect(gr![3]).toBeGreaterThan(20);
      const read = (await site.records()).flatMap((one) => (one.kind === "others" ? [one] : []));
      expect(new Set(read.map(({ protocol }) => protocol))).toEqual(new Set(["dp3t", "opencovidtrace"]));
      expect(new Set(read.map(({ identifier }) => identifier[0])).size).toBe(PEERS - 2);
      for (const { identifier, protocol } of read) expect(identifier[0] % 2).toBe(protocol === "dp3t" ? 0 : 1);
      expect(await site.value("+handed.uart")).toBe(0);
      expect(await site.value("pairs")).toBe(0);
      expect(await site.value(`handed["${SERVICE}"]["${CHARACTERISTIC}"].value.length`)).toBe(32);
      const { keys } = decodeKeysOfOthers(await site.link.keys(false));
      expect(keys.filter(({ protocol }) => protocol === "opencovidtrace").map(({ key, startDay }) => [key.length, startDay])).toEqual([
        [32, Math.floor(SET_AT / 86_400)],
      ]);
      const inUse = await site.value("process.memory().usage");
      const most = await site.value("most");
      console.log(
        `wearable that reads ${PEERS} peers: ${inUse} of ${puckjs.variables.count} variables, ${most} at most, the radio's stand-in included`,
      );
      expect(most).toBeLessThan(0.85 * puckjs.variables.count);
      // more identifiers in one scan than it has places and guests for
      await site.value("crowd=300");
      await site.pass(HOUR / 6);
      const crowded = await site.value("most");
      console.log(`with 300 neighbours: ${crowded} at most`);
      expect(crowded).toBeLessThan(puckjs.variables.count);
      expect(await site.link.status()).toMatchObject({ e: 1, er: [0, 0, 0] });
    },
    PATIENCE_MS,
  );
});
