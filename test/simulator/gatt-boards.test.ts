import { describe, expect, test } from "vitest";
import { bangle2 } from "../../boards/bangle2.ts";
import { pixljs } from "../../boards/pixljs.ts";
import { powerAccount } from "../../host-tools/simulator/power.ts";
import { addressOf, clientScript, linkedBoards, PHONE, READABLE, SERVICE, serverScript, WRITABLE } from "../support/linked-boards.ts";

const BYTES = "new Uint8Array(200).map(function(v,i){return i})";

describe("two boards", () => {
  test("exchange 200 bytes each way, in pieces: a write and a notification hold 50 bytes, whatever the value's length", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("''"));
    run(1);
    boards[1]!.evaluate(
      clientScript(`global.back="";var all=${BYTES},n=0;
        c.r.on("characteristicvaluechanged",function(e){back+=E.toString(e.target.value.buffer);log.push("note "+e.target.value.byteLength)});
        function piece(){if(n<200)return c.w.writeValue(all.subarray(n,n+=50)).then(piece)}
        return c.r.startNotifications().then(piece).then(function(){log.push("written "+n)})`),
    );
    run(5);
    expect(log(1)).toEqual(["written 200"]);
    expect(boards[0]!.evaluate("got.length+' '+got.charCodeAt(199)")).toBe("200 199");
    expect(log(0)).toEqual(["desc 1"]);
    boards[0]!.evaluate(
      `var m=0,i=setInterval(function(){NRF.updateServices({"${SERVICE}":{"${READABLE}":{value:got.substr(m,50),notify:true}}});if((m+=50)>=200)clearInterval(i)},20)`,
    );
    run(1);
    expect(log(1).slice(1)).toEqual(["note 50", "note 50", "note 50", "note 50"]);
    expect(boards[1]!.evaluate("back.length+' '+back.charCodeAt(50)+' '+back.charCodeAt(199)")).toBe("200 50 199");
  });

  test("readValue gives the first 52 bytes and no more: Espruino asks for no second part", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[0]!.evaluate(serverScript(BYTES));
    run(1);
    boards[1]!.evaluate(
      clientScript(
        'return c.r.readValue().then(function(v){log.push(v.byteLength+" "+v.getUint8(51)+" "+(v instanceof DataView)+" "+(c.r.value==v))})',
      ),
    );
    run(3);
    expect(log(1)).toEqual(["52 51 true true"]);
  });

  test("with S140 a PDU has 131 bytes: 130 to read, 128 to write", () => {
    const { boards, run, log } = linkedBoards(2, { facts: bangle2 });
    boards[0]!.evaluate(serverScript(BYTES, 200));
    run(1);
    boards[1]!.evaluate(
      clientScript(
        "return c.r.readValue().then(function(v){log.push(v.byteLength);return c.w.writeValue(new Uint8Array(128))}).then(function(){return c.w.writeValue(new Uint8Array(129))})",
      ),
    );
    run(3);
    expect(log(1)).toEqual(["130", "failed ERR 0xc (DATA_SIZE)"]);
    expect(boards[0]!.evaluate("got.length")).toBe(128);
  });

  test("a write that is too long for a PDU is refused with the number, and on boards with names with the name", () => {
    for (const [facts, text] of [
      [undefined, "failed ERR 0xc (DATA_SIZE)"],
      [pixljs, "failed ERR 0xc"],
    ] as const) {
      const { boards, run, log } = linkedBoards(2, { facts });
      boards[0]!.evaluate(serverScript("'a'", 200));
      run(1);
      boards[1]!.evaluate(clientScript("return c.w.writeValue(new Uint8Array(51))"));
      run(3);
      expect(log(1)).toEqual([text]);
      expect(boards[0]!.evaluate("got.length")).toBe(0);
    }
  });

  test("a write longer than the value may be is thrown away and counts as done: it is a command, which nobody answers", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'", 10));
    run(1);
    boards[1]!.evaluate(clientScript('return c.w.writeValue("12345678901").then(function(){log.push("done");return c.w.writeValue("1234567890")})'));
    run(3);
    expect(log(1)).toEqual(["done"]);
    expect(boards[0]!.evaluate("got")).toBe("1234567890");
  });

  test("what is not there is no error: the promise brings undefined", () => {
    const { boards, run } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(
      `var log=[];NRF.connect("${addressOf(0)}").then(function(x){g=x;return g.getPrimaryService(0x180F)}).then(function(s){log.push(typeof s);return g.getPrimaryService("${SERVICE}")}).then(function(s){return s.getCharacteristic(0x2A19)}).then(function(c){log.push(typeof c)})`,
    );
    run(5);
    expect(boards[1]!.evaluate("log.join()")).toBe("undefined,undefined");
  });

  test("objects look as the interpreter's do; a long UUID that the stack has not been told has no name", () => {
    const { boards, run } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(`var all;NRF.connect("${addressOf(0)}").then(function(x){return x.getPrimaryServices()}).then(function(s){all=s})`);
    run(3);
    expect(boards[1]!.evaluate("all.map(function(s){return s.uuid}).join()")).toBe("0x1800,0x1801,0x0000[vendor]");
    expect(boards[1]!.evaluate("Object.keys(all[2]).join()")).toBe("device,uuid,isPrimary,start_handle,end_handle");
    expect(boards[1]!.evaluate("Object.keys(all[2].device).join()+' '+Object.keys(all[2].device.gatt).join()")).toBe(
      "id,gatt device,connected,handle",
    );
    boards[1]!.evaluate(
      `var ch;all[0].device.gatt.getPrimaryService("${SERVICE}").then(function(s){return s.getCharacteristic("${READABLE}")}).then(function(x){ch=x})`,
    );
    run(3);
    expect(boards[1]!.evaluate("Object.keys(ch).join()")).toBe("service,uuid,handle_value,handle_decl,properties");
    expect(boards[1]!.evaluate("Object.keys(ch.properties).join()")).toBe(
      "broadcast,read,writeWithoutResponse,write,notify,indicate,authenticatedSignedWrites",
    );
    expect(boards[1]!.evaluate("ch.service.device===all[2].device")).toBe(true);
  });
});

describe("connecting", () => {
  test("takes until the next advertisement, and asking for services at once half a second more: the stack is busy with the MTU", () => {
    const { boards, run, log, radio } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(
      `var log=[],t=getTime();function at(){log.push(Math.round((getTime()-t)*1000))}NRF.connect("${addressOf(0)}").then(function(x){at();return x.getPrimaryService("${SERVICE}")}).then(function(s){at()})`,
    );
    run(3);
    const [connected, found] = log(1).map(Number);
    expect(connected).toBeGreaterThan(0);
    expect(connected).toBeLessThan(390);
    expect(found! - connected!).toBeGreaterThan(510);
    expect(found! - connected!).toBeLessThan(560);
    expect(radio(0).connectable).toBe(false);
    expect(radio(0).activity.connections).toBe(1);
    expect(radio(1).activity.centralConnections).toBe(1);
    expect(boards[1]!.evaluate("NRF.getSecurityStatus().connected")).toBe(false);
    expect(boards[0]!.evaluate("JSON.stringify(NRF.getSecurityStatus())")).toContain('"connectionInterval":6');
  });

  test("who waits 50 ms before he asks for services is spared the half second", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(
      `var log=[],g,t;NRF.connect("${addressOf(0)}").then(function(x){g=x;t=getTime();return new Promise(function(done){setTimeout(done,50)})}).then(function(){return g.getPrimaryService("${SERVICE}")}).then(function(s){log.push(s.uuid,getTime()-t<0.1)})`,
    );
    run(3);
    expect(log(1)).toEqual([SERVICE, "true"]);
  });

  test("ends after 4 s with a text, not an Error; S140 counts its timeouts otherwise", () => {
    for (const [facts, number] of [
      [undefined, 3],
      [bangle2, 2],
    ] as const) {
      const { boards, run, log } = linkedBoards(1, { facts });
      boards[0]!.evaluate(
        `var log=[],t=getTime();NRF.connect("c0:00:00:00:00:77 random").catch(function(e){log.push(e,typeof e,(getTime()-t).toFixed(1))})`,
      );
      run(5);
      expect(log(0)).toEqual([`Connection Timeout (${number})`, "string", "4.0"]);
    }
  });

  test("one task at a time; what is in progress is named as in the interpreter's table, which lacks a separator", () => {
    const { boards, run } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(
      clientScript(`function t(f){try{f()}catch(e){log.push(e.type+": "+e.message)}}
        c.r.readValue();t(function(){c.r.readValue()});t(function(){NRF.connect("${addressOf(0)}")});
        setTimeout(function(){c.r.startNotifications();t(function(){g.getPrimaryServices()});setTimeout(function(){c.r.startNotifications();t(function(){c.r.readValue()})},300)},300)`),
    );
    run(4);
    expect(boards[1]!.evaluate("JSON.stringify(log)")).toBe(
      JSON.stringify([
        "Error: BLE task CHAR_RD is already in progress",
        "Error: BLE task CHAR_RD is already in progress",
        "Error: BLE task CHAR_DESC_NOTIFY\nCHAR_NOTIFY is already in progress",
        "Error: BLE task BOND is already in progress",
      ]),
    );
  });

  test("an address that is none, an interval that is none, a third link", () => {
    const { boards, run, log } = linkedBoards(4);
    boards[3]!.evaluate(
      `var log=[];try{NRF.connect("nobody")}catch(e){log.push(e.type+": "+e.message)}NRF.connect("${addressOf(0)}",{minInterval:5}).catch(function(e){log.push(e)})`,
    );
    run(1);
    boards[3]!.evaluate(
      [0, 1, 2].reduce(
        (so, i) => `${so}.then(function(){return NRF.connect("${addressOf(i)}")}).then(function(x){log.push(x.handle)})`,
        "Promise.resolve()",
      ) + ".catch(function(e){log.push(e)})",
    );
    run(6);
    expect(log(3)).toEqual([
      "TypeError: Expecting device with a mac address of the form aa:bb:cc:dd:ee:ff",
      "ERR 0x7 (INVALID_PARAM)",
      "0",
      "1",
      "ERR 0x12 (CONN_COUNT)",
    ]);
  });

  test("can be cancelled; without a link or an attempt there is nothing to end", () => {
    const { boards, run, log, radio } = linkedBoards(1);
    boards[0]!.evaluate(
      `var log=[];NRF.requestDevice({filters:[{id:"x"}],timeout:100}).catch(function(e){log.push(e);
        NRF.connect("c0:00:00:00:00:77 random").catch(function(e){log.push(e)})})`,
    );
    run(1);
    expect(radio(0).connecting).toBe(true);
    boards[0]!.evaluate(
      `var d=new BluetoothDevice();d.id="c0:00:00:00:00:77 random";d.gatt.disconnect();try{d.gatt.disconnect()}catch(e){log.push(e.message)}`,
    );
    run(1);
    expect(log(0)).toEqual(["No device found matching filters", "Not connected", "Connection cancelled"]);
    expect(radio(0).connecting).toBe(false);
  });

  test("stops a scan that the interpreter goes on believing in; only setScan() gets it out, by an exception", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(`var n=0,log=[];function seen(){n++}NRF.setScan(seen);`);
    run(2);
    expect(boards[1]!.evaluate("n")).toBeGreaterThan(3);
    boards[1]!.evaluate(`var g;NRF.connect("${addressOf(0)}").then(function(x){g=x;return g.disconnect()})`);
    run(2);
    boards[1]!.evaluate("n=0;NRF.setScan(seen)");
    run(2);
    expect(boards[1]!.evaluate("n")).toBe(0);
    boards[1]!.evaluate("try{NRF.setScan()}catch(e){log.push(e.message)}NRF.setScan(seen)");
    run(2);
    expect(log(1)[0]).toMatch(/^ERR 0x8 \(INVALID_STATE\) \(:\d+\)$/);
    expect(boards[1]!.evaluate("n")).toBeGreaterThan(3);
  });

  test("leaves a scan alone that was stopped before", () => {
    const { boards, run } = linkedBoards(2);
    boards[1]!.evaluate(
      `var n=0;function seen(){n++}NRF.setScan(seen);setTimeout(function(){NRF.setScan();NRF.connect("${addressOf(0)}").then(function(g){return g.disconnect()}).then(function(){n=0;NRF.setScan(seen)})},500)`,
    );
    run(4);
    expect(boards[1]!.evaluate("n")).toBeGreaterThan(3);
    expect(boards[1]!.errors).toEqual([]);
  });

  test("while it lasts, no scan begins", () => {
    const { boards, run, log } = linkedBoards(1);
    boards[0]!.evaluate(`var log=[];NRF.connect("c0:00:00:00:00:77 random").catch(function(e){});`);
    run(1);
    boards[0]!.evaluate("try{NRF.setScan(function(){})}catch(e){log.push(e.message)}");
    expect(log(0)[0]).toMatch(/^ERR 0x8 \(INVALID_STATE\)/);
  });

  test("a UUID that is none leaves its task unfinished until the link ends", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[1]!.evaluate(
      `var g,log=[];function t(f){try{f()}catch(e){log.push(e.message)}}NRF.connect("${addressOf(0)}").then(function(x){g=x;t(function(){g.getPrimaryService("12")});t(function(){g.getPrimaryServices()});g.device.on("gattserverdisconnected",function(r){log.push("gone "+r)})})`,
    );
    run(2);
    boards[0]!.evaluate("NRF.disconnect()");
    run(1);
    boards[1]!.evaluate("t(function(){g.getPrimaryServices().catch(function(e){log.push(e)})})");
    run(1);
    expect(log(1)).toEqual(["UUID not the right length (16 or 2 bytes)", "BLE task SERVICE is already in progress", "gone 19", "Not connected"]);
  });

  test("an advertisement that reaches its limit of 180 s is taken for the attempt's end, and advertising does not come back", () => {
    const { boards, run, log, radio } = linkedBoards(1);
    run(175);
    boards[0]!.evaluate(
      `var log=[],t=getTime();setTimeout(function(){NRF.connect("c0:00:00:00:00:77 random").catch(function(e){log.push(e)})},2000)`,
    );
    run(10);
    expect(log(0)).toEqual(["Connection Timeout (0)"]);
    expect(radio(0).advertises).toBe(false);
    expect(boards[0]!.evaluate("NRF.getSecurityStatus().advertising")).toBe(true);
  });
});

describe("the end of a link", () => {
  test("by the one and by the other: reasons 22 and 19, the promise of disconnect, advertising again", () => {
    const { boards, run, log, radio } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[0]!.evaluate("NRF.on('connect',function(a){log.push(a)});NRF.on('disconnect',function(r){log.push('end '+r)})");
    boards[1]!.evaluate(
      `var log=[];NRF.connect("${addressOf(0)}").then(function(g){g.device.on("gattserverdisconnected",function(r){log.push("gone "+r)});return g.disconnect()}).then(function(g){log.push("free "+g.connected+" "+g.handle)})`,
    );
    run(2);
    expect(log(0)).toEqual([addressOf(1), "end 19"]);
    expect(log(1)).toEqual(["gone 22", "free false undefined"]);
    expect(radio(0).connectable).toBe(true);
    boards[1]!.evaluate(`NRF.connect("${addressOf(0)}").then(function(g){g.device.on("gattserverdisconnected",function(r){log.push("gone "+r)})})`);
    run(1);
    boards[0]!.evaluate("NRF.disconnect();try{NRF.disconnect()}catch(e){log.push(e.message)}");
    run(1);
    expect(log(0).slice(2)).toEqual([addressOf(1), "ERR 0x8 (INVALID_STATE) (:732)", "end 22"]);
    expect(log(1).slice(2)).toEqual(["gone 19"]);
  });

  test("out of reach: both sides notice after 4 s without a packet, reason 8, and what was under way fails", () => {
    const { boards, run, log, clock, air, radio } = linkedBoards(2);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[0]!.evaluate("NRF.on('disconnect',function(r){log.push('end '+r)})");
    boards[1]!.evaluate(clientScript('g.device.on("gattserverdisconnected",function(r){log.push("gone "+r)})', addressOf(0), "{maxInterval:200}"));
    run(3);
    air.place(radio(0), { x: 5000, y: 0 });
    const left = clock.now;
    boards[1]!.evaluate("c.r.readValue().catch(function(e){log.push(e)})");
    run(3.9);
    expect(log(1)).toEqual([""]);
    run(0.3);
    expect(log(1)).toEqual(["gone 8", "Disconnected"]);
    expect(log(0)).toContain("end 8");
    expect(clock.now - left).toBeCloseTo(4.2, 5);
  });

  test("a link that ends fails the task of the other link as well", () => {
    const { boards, run, log } = linkedBoards(3);
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[2]!.evaluate(clientScript(`return NRF.connect("${addressOf(1)}").then(function(){log.push("two")})`));
    run(4);
    boards[1]!.evaluate("NRF.disconnect()");
    boards[2]!.evaluate("c.r.readValue().catch(function(e){log.push(e)})");
    run(1);
    expect(log(2)).toEqual(["two", "Disconnected"]);
  });

  test("a new address waits for all links, also for those that the board has made", () => {
    const { boards, run, printed, radio } = linkedBoards(2);
    boards[1]!.evaluate(`var g;NRF.connect("${addressOf(0)}").then(function(x){g=x;NRF.setAddress("d1:02:03:04:05:06 random")})`);
    run(2);
    expect(printed[1]).toContain("BLE Connected, queueing BLE restart for later\n");
    expect(radio(1).airAddress).toBe(addressOf(1));
    boards[1]!.evaluate("g.disconnect()");
    run(1);
    expect(radio(1).airAddress).toBe("d1:02:03:04:05:06 random");
  });

  test("reset ends the board's own links; sleep ends the one that a central has made and leaves the others", () => {
    const { boards, run, radio } = linkedBoards(3);
    boards[1]!.evaluate(`NRF.connect("${addressOf(0)}")`);
    boards[2]!.evaluate(`NRF.connect("${addressOf(1)}")`);
    run(2);
    expect([radio(0).linked, radio(1).linked]).toEqual([true, true]);
    boards[1]!.evaluate("NRF.sleep()");
    run(1);
    expect([radio(0).linked, radio(1).linked]).toEqual([true, false]);
    boards[1]!.reset();
    run(1);
    expect(radio(0).linked).toBe(false);
  });

  test("a request to connect that is lost makes a link on one side only, which ends after six events with reason 62", () => {
    const { boards, run, log, air, radio } = linkedBoards(2);
    air.lose((packet) => packet.from === radio(1).station);
    boards[1]!.evaluate(
      `var log=[],t;NRF.connect("${addressOf(0)}").then(function(g){t=getTime();g.device.on("gattserverdisconnected",function(r){log.push("gone "+r+" "+((getTime()-t)<0.06))})})`,
    );
    run(2);
    expect(log(1)).toEqual(["gone 62 true"]);
    expect(radio(0).connectable).toBe(true);
    expect(radio(0).activity.connections).toBe(0);
  });

  test("without supply the other side waits for its time to run out: 10 s, as Espruino's default range of intervals makes it", () => {
    const { boards, run, log } = linkedBoards(2);
    boards[1]!.evaluate(
      `var log=[];NRF.connect("${addressOf(0)}").then(function(g){g.device.on("gattserverdisconnected",function(r){log.push("gone "+r)})})`,
    );
    run(2);
    boards[0]!.powerOff();
    run(9.7);
    expect(log(1)).toEqual([""]);
    run(0.5);
    expect(log(1)).toEqual(["gone 8"]);
  });
});

describe("what a script offers", () => {
  test("a value over 512 bytes, values over the table's size, an eleventh long UUID and an unknown option are refused", () => {
    const { boards } = linkedBoards(1);
    const attempt = (text: string) => boards[0]!.evaluate(`(function(){try{${text}}catch(e){return e.message}})()`);
    expect(attempt("NRF.setServices({0x2000:{0x2001:{maxLen:513}}})")).toBe("ERR 0xc (DATA_SIZE) (:3222)");
    const four = linkedBoards(1).boards[0]!;
    expect(
      four.evaluate(
        "(function(){try{NRF.setServices({0x2000:{0x2001:{maxLen:512},0x2002:{maxLen:512},0x2003:{maxLen:384},0x2004:{maxLen:1}}})}catch(e){return e.message}})()",
      ),
    ).toBe("ERR 0x4 (NO_MEM) (:3222)");
    const ten = linkedBoards(1).boards[0]!;
    expect(
      ten.evaluate(
        '(function(){var s={};for(var i=0;i<10;i++)s["1111222"+i+"-3333-4444-5555-66667777888"+i]={};try{NRF.setServices(s)}catch(e){return e.message}})()',
      ),
    ).toBe("Invalid Service UUID: Too many custom UUIDs");
    expect(attempt("NRF.setServices({},{uarts:false})")).toBe('Unknown option "uarts"');
  });

  test("long UUIDs that differ in their digits five to eight only share one of the stack's ten places", () => {
    const { boards, run, radio } = linkedBoards(1);
    boards[0]!.evaluate('var s={};for(var i=0;i<30;i++)s["111122"+(i+10)+"-3333-4444-5555-666677778888"]={};NRF.setServices(s)');
    run(1);
    expect(radio(0).services.list().length).toBe(30);
  });
});

test("a board with a link that it has made says that its charge is not known, and counts the listening before it", () => {
  const { boards, run, radio } = linkedBoards(2);
  boards[1]!.evaluate(`NRF.connect("${addressOf(0)}")`);
  run(10);
  const account = powerAccount(boards[1]!.facts, radio(1).activity, 10);
  expect(account.unknown).toContain("links made by the board");
  expect(account.scanning).toBeGreaterThan(0);
  expect(radio(1).activity.centralSeconds).toBeGreaterThan(9);
  expect(powerAccount(boards[0]!.facts, radio(0).activity, 10).unknown).not.toContain("links made by the board");
  expect(radio(0).activity.connectedSeconds).toBeCloseTo(radio(1).activity.centralSeconds, 6);
});

test("objects of a link count in the interpreter's memory until the link has ended", () => {
  const { boards, run } = linkedBoards(2);
  boards[0]!.evaluate(serverScript("'a'"));
  run(1);
  const before = boards[1]!.memory().usage;
  boards[1]!.evaluate(clientScript("return c.r.readValue()"));
  run(3);
  // Device 7, server 11, service 19, two characteristics of 49, a value of one byte 12.
  expect(boards[1]!.memory().usage - before).toBe(7 + 11 + 19 + 2 * 49 + 12);
  boards[1]!.evaluate("g.disconnect()");
  run(1);
  expect(boards[1]!.memory().usage).toBe(before);
});

test("the same seed gives the same link, event by event, also where packets are lost", () => {
  const runOnce = (seed: number) => {
    const { boards, run, log, air, radio } = linkedBoards(2, { seed, lossProbability: 0.1 });
    air.place(radio(0), { x: 3, y: 0 });
    boards[0]!.evaluate(serverScript("'a'"));
    run(1);
    boards[1]!.evaluate(
      clientScript(
        `function again(){return c.r.readValue().then(function(){log.push(((getTime()-t0)*1000).toFixed(3));if(log.length<20)return again()})}return again()`,
      ),
    );
    run(10);
    return log(1);
  };
  const first = runOnce(5);
  expect(first.length).toBe(20);
  expect(runOnce(5)).toEqual(first);
  expect(runOnce(6)).not.toEqual(first);
});

test("NRF.connect to a phone: its console name, its answers, its end", () => {
  const { boards, run, log, phone } = linkedBoards(1);
  const written: string[] = [];
  const other = phone();
  other.serve({
    [SERVICE]: {
      [READABLE]: { value: () => Uint8Array.of(1, 2, 3) },
      [WRITABLE]: { onWrite: (bytes) => written.push(Buffer.from(bytes).toString()) },
    },
  });
  other.advertise([Uint8Array.of(2, 1, 6)]);
  boards[0]!.evaluate(
    clientScript(
      'return c.r.readValue().then(function(v){log.push(v.getUint8(2));return c.w.writeValue("hi")}).then(function(){return g.disconnect()}).then(function(){log.push("end")})',
      PHONE,
    ),
  );
  run(5);
  expect(log(0)).toEqual(["3", "end"]);
  expect(written).toEqual(["hi"]);
  expect(other.links).toEqual([]);
});
