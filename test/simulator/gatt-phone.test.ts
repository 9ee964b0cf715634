import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AttError, LinkLost, type PhoneLink } from "../../host-tools/simulator/phone-link.ts";
import { addressOf, clientScript, linkedBoards, PHONE, READABLE, SERVICE, serverScript, WRITABLE } from "../support/linked-boards.ts";

const BYTES = "new Uint8Array(200).map(function(v,i){return i})";
const UART_RECEIVE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const UART_SEND = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";

/** A phone that has found what board 0 offers. */
async function meet(script: string, options: Parameters<ReturnType<typeof linkedBoards>["phone"]>[0] = {}, intervalMs = 30) {
  const world = linkedBoards(1);
  world.boards[0]!.evaluate(script);
  world.run(1);
  const phone = world.phone(options);
  const drive = <T>(work: Promise<T>) => world.clock.drive(work, { limit: 120 });
  const link = await drive(phone.connect(addressOf(0), { intervalMs }));
  const find = async () => {
    const found = await drive(link.discover());
    return (uuid: string) => found.find((one) => one.uuid === uuid)!;
  };
  return { ...world, device: phone, link, drive, find };
}

const failing = async (work: Promise<unknown>) => work.then(() => undefined).catch((error: unknown) => error);

describe("a phone at a board", () => {
  test("reads 200 bytes in as many answers as its MTU asks for: 10 with 23 bytes, 4 with the board's 53, which it never goes beyond", async () => {
    for (const [mtu, agreed, answers] of [
      [23, 23, 10],
      [185, 53, 4],
      [512, 53, 4],
    ] as const) {
      const { link, drive, find, clock } = await meet(serverScript(BYTES), { mtu }, 7.5);
      expect(await drive(link.exchangeMtu())).toBe(agreed);
      const { handle } = (await find())(READABLE);
      const begun = clock.now;
      const value = await drive(link.readLong(handle));
      expect([...value]).toEqual(Array.from({ length: 200 }, (_, i) => i));
      // Each request and its answer take two events of 7.5 ms.
      expect((clock.now - begun) / 0.0075).toBeCloseTo(2 * answers, 0);
      expect((await drive(link.read(handle, 190))).length).toBe(10);
      expect(await drive(failing(link.read(handle, 201)))).toMatchObject({ code: 0x07 });
    }
  });

  test("a discovery with a read and a write of 100 bytes in all takes the events it takes, whatever the interval", async () => {
    const events = async (intervalMs: number) => {
      const { link, drive, find, clock } = await meet(serverScript("'x'.repeat(50)"), { mtu: 185 }, intervalMs);
      // The board asks for 7.5 ms, this phone does not agree.
      link.air.ends.central.acceptsInterval = () => false;
      const begun = clock.now;
      await drive(link.exchangeMtu());
      const of = await find();
      await drive(link.read(of(READABLE).handle));
      await drive(link.write(of(WRITABLE).handle, new Uint8Array(50)));
      return Math.round(((clock.now - begun) * 1000) / intervalMs);
    };
    const fast = await events(7.5);
    expect(await events(100)).toBe(fast);
    expect(fast).toBeGreaterThan(20);
    expect(fast).toBeLessThan(60);
  });

  test("writes up to 50 bytes; longer ones are thrown away with the PDU, and prepared writes are refused as an unsupported feature", async () => {
    const { link, drive, find, boards, run } = await meet(serverScript("'a'", 200), { mtu: 185 });
    await drive(link.exchangeMtu());
    const { handle } = (await find())(WRITABLE);
    await drive(link.write(handle, Buffer.from("x".repeat(50))));
    run(1);
    expect(boards[0]!.evaluate("got.length")).toBe(50);
    expect(await drive(failing(link.writeLong(handle, new Uint8Array(120))))).toMatchObject({ code: 0x82 });
    link.raw(Uint8Array.from([0x12, handle & 255, handle >> 8, ...new Uint8Array(180)]));
    run(1);
    expect(boards[0]!.evaluate("got.length")).toBe(50);
    await drive(link.write(handle, Buffer.from("y")));
    run(1);
    expect(boards[0]!.evaluate("got.length")).toBe(51);
  });

  test("is refused what is not to be read, not to be written, too long, or not there", async () => {
    const { link, drive, find } = await meet(serverScript("'a'", 10));
    const of = await find();
    const code = async (work: Promise<unknown>) => ((await drive(failing(work))) as AttError).code;
    expect(await code(link.read(of(WRITABLE).handle))).toBe(0x02);
    expect(await code(link.write(of(READABLE).handle, Uint8Array.of(1)))).toBe(0x03);
    expect(await code(link.write(of(WRITABLE).handle, new Uint8Array(11)))).toBe(0x0d);
    expect(await code(link.read(500))).toBe(0x01);
  });

  test("gets notifications of 20 bytes, or of 50 once the MTU is agreed on, and onWriteDesc tells the script who listens", async () => {
    const { link, drive, find, boards, run, log } = await meet(serverScript("'a'"), { mtu: 185 });
    const got: number[] = [];
    const of = await find();
    const update = `NRF.updateServices({"${SERVICE}":{"${READABLE}":{value:new Uint8Array(100),notify:true}}})`;
    boards[0]!.evaluate(update);
    run(1);
    await drive(link.subscribe(of(READABLE), (value) => got.push(value.length)));
    boards[0]!.evaluate(update);
    run(1);
    await drive(link.exchangeMtu());
    boards[0]!.evaluate(update);
    run(1);
    expect(got).toEqual([20, 50]);
    expect(log(0)).toEqual(["desc 1"]);
  });

  test("notifications that come faster than they leave are lost in silence", async () => {
    const { link, drive, find, boards, run } = await meet(serverScript("'a'"), {}, 100);
    let got = 0;
    await drive(link.subscribe((await find())(READABLE), () => got++));
    boards[0]!.evaluate(`for(var i=0;i<20;i++)NRF.updateServices({"${SERVICE}":{"${READABLE}":{value:[i],notify:true}}})`);
    run(5);
    expect(got).toBe(7);
  });

  test("confirms indications; a second one before that is refused as busy", async () => {
    const script = `NRF.setServices({"${SERVICE}":{"${READABLE}":{value:"a",readable:true,indicate:true,description:"a name",maxLen:20}}})`;
    const { link, drive, find, boards, run } = await meet(script, {}, 100);
    const got: string[] = [];
    const indicated = (await find())(READABLE);
    expect(indicated.configuration).toBe(indicated.handle + 2);
    await drive(link.subscribe(indicated, (value) => got.push(Buffer.from(value).toString())));
    const update = (value: string) => `NRF.updateServices({"${SERVICE}":{"${READABLE}":{value:"${value}",indicate:true}}})`;
    expect(boards[0]!.evaluate(`(function(){try{${update("b")};${update("c")}}catch(e){return e.message}})()`)).toBe("ERR 0x11 (BUSY) (:2063)");
    run(2);
    boards[0]!.evaluate(update("d"));
    run(2);
    expect(got).toEqual(["b", "d"]);
    // The value itself was changed although nobody was told.
    expect(Buffer.from(await drive(link.read(indicated.handle))).toString()).toBe("d");
  });

  test("uses the console by the Nordic UART service; with uart:false there is none", async () => {
    const { link, drive, find, run, boards } = await meet("1");
    const of = await find();
    let text = "";
    await drive(link.subscribe(of(UART_SEND), (value) => (text += Buffer.from(value).toString("latin1"))));
    await drive(link.write(of(UART_RECEIVE).handle, Buffer.from("\x10print(6*7)\n"), true));
    run(1);
    expect(text).toContain("42\r\n");
    expect(boards[0]!.consoleDevice).toBe("Bluetooth");
    link.disconnect();
    run(1);
    expect(boards[0]!.consoleDevice).toBe("Serial1");
    const silent = await meet("NRF.setServices({},{uart:false})");
    expect((await silent.find())(UART_SEND)).toBeUndefined();
  });

  test("services that come while it is there are added at once; others wait until it has gone", async () => {
    const { link, drive, find, boards, run, printed, device } = await meet("1");
    boards[0]!.evaluate(`NRF.setServices({"${SERVICE}":{"${READABLE}":{value:"a",readable:true}}})`);
    expect([...(await drive(link.read((await find())(READABLE).handle)))]).toEqual([97]);
    boards[0]!.evaluate(`NRF.setServices({"${SERVICE}":{"${WRITABLE}":{value:"b",readable:true}}})`);
    expect(printed[0]).toContain("BLE Connected, queueing BLE restart for later");
    expect((await find())(WRITABLE)).toBeUndefined();
    link.disconnect();
    run(1);
    const again = await drive(device.connect(addressOf(0)));
    const found = await drive(again.discover());
    expect(found.some((one) => one.uuid === WRITABLE)).toBe(true);
    expect(found.some((one) => one.uuid === READABLE)).toBe(false);
  });

  test("is asked for 7.5 ms a tenth of a second after it has come, and for 200 ms after half a minute of idleness", async () => {
    const { link, run, boards, drive, find } = await meet(serverScript("'a'"), {}, 50);
    expect(link.air.intervalMs).toBe(50);
    run(1);
    expect(link.air.intervalMs).toBe(7.5);
    run(31);
    expect(link.air.intervalMs).toBe(200);
    expect(link.air.supervisionMs).toBe(4000);
    const { handle } = (await find())(WRITABLE);
    for (let i = 0; i < 6; i++) await drive(link.write(handle, Buffer.from("a")));
    run(2);
    expect(link.air.intervalMs).toBe(7.5);
    boards[0]!.evaluate("NRF.setConnectionInterval(100)");
    run(60);
    expect(link.air.intervalMs).toBe(100);
  });

  test("finds one peripheral link: a second phone waits until the first has gone", async () => {
    const { link, phone, drive, run } = await meet("1");
    const other = phone({ name: "second", address: "d0:00:00:00:00:98 random" });
    expect(await drive(failing(other.connect(addressOf(0), { timeout: 5 })))).toBeInstanceOf(Error);
    link.disconnect();
    run(1);
    expect((await drive(other.connect(addressOf(0)))).connected).toBe(true);
  });
});

describe("a hostile phone", () => {
  test("sends any bytes at all: the board answers what it must, its services still work, no error of its script", async () => {
    const { link, drive, find, boards, run } = await meet(serverScript("'a'"), { mtu: 185 });
    const { handle } = (await find())(READABLE);
    await drive(
      fc.assert(
        fc.asyncProperty(fc.uint8Array({ minLength: 0, maxLength: 300 }), async (bytes) => {
          link.raw(bytes);
          run(0.05);
          expect(link.connected).toBe(true);
        }),
        { numRuns: 400, seed: 7 },
      ),
    );
    const opcodes = Array.from({ length: 256 }, (_, opcode) => opcode);
    for (const opcode of opcodes) for (const length of [0, 1, 2, 4, 6]) link.raw(Uint8Array.from([opcode, ...new Uint8Array(length).fill(255)]));
    run(60);
    expect([...(await drive(link.read(handle)))]).toEqual([97]);
    expect(boards[0]!.errors).toEqual([]);
  });

  test("answers garbage to whoever reads: the board's promises settle or its tasks end with the link", async () => {
    const { boards, run, phone } = linkedBoards(1);
    const device = phone();
    device.advertise([Uint8Array.of(2, 1, 6)]);
    let seed = 1;
    device.onLink = (link: PhoneLink) => {
      link.received = () => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        link.raw(Uint8Array.from({ length: seed % 60 }, (_, i) => (seed >> (i % 24)) & 255));
        link.raw(Uint8Array.from([[0x11, 6, 1, 0, 255, 255, 15, 24], [0x09, 7, 2, 0, 255, 3, 0, 25, 42], [0x0b], [0x13]][seed % 4]!));
      };
    };
    boards[0]!.evaluate(
      `var ends=0,n=0;function go(){NRF.connect("${PHONE}").then(function(g){return g.getPrimaryServices().then(function(s){return s&&s[0]&&s[0].getCharacteristics()}).then(function(c){return c&&c[0]&&c[0].readValue()}).then(function(){return g.disconnect()})}).then(function(){ends++},function(e){ends++});}go();`,
    );
    run(200);
    expect(boards[0]!.evaluate("ends")).toBe(1);
    // Espruino's second question after half a second comes when nobody waits for it any more.
    for (const error of boards[0]!.errors)
      expect(error).toMatch(/^Uncaught InternalError: BLE task completed that wasn't scheduled \(SERVICE\/NONE\)/);
  });

  test("that never answers loses the link after 30 s, reason 22, and the promise is rejected", () => {
    const { boards, run, log, phone } = linkedBoards(1);
    const device = phone({ hostile: { mute: true } });
    device.advertise([Uint8Array.of(2, 1, 6)]);
    boards[0]!.evaluate(
      `var log=[],t=getTime();NRF.connect("${PHONE}").then(function(g){g.device.on("gattserverdisconnected",function(r){log.push("gone "+r+" "+Math.round(getTime()-t))});return g.getPrimaryServices()}).catch(function(e){log.push(e)})`,
    );
    run(40);
    // The MTU was asked for first, and not answered: discovery asked again every half second.
    expect(log(0)).toEqual(["gone 22 30", "Disconnected"]);
    expect(boards[0]!.errors).toEqual(["Uncaught InternalError: BLE task completed that wasn't scheduled (SERVICE/NONE)\n"]);
  });

  test("that answers slowly holds up one task, and nothing else", () => {
    const { boards, run, log, phone } = linkedBoards(1);
    const device = phone({ hostile: { answerSeconds: 5 } });
    device.serve({ [SERVICE]: { [READABLE]: { value: Uint8Array.of(9) }, [WRITABLE]: { onWrite: () => undefined } } });
    device.advertise([Uint8Array.of(2, 1, 6)]);
    boards[0]!.evaluate(clientScript("return c.r.readValue().then(function(v){log.push(v.getUint8(0),getTime()-t0>20)})", PHONE));
    run(60);
    expect(log(0)).toEqual(["9", "true"]);
  });

  test("that stays is thrown out by NRF.disconnect, and by leaving its reach", async () => {
    const { link, boards, run, radio } = await meet("1", { hostile: { staysConnected: true } });
    link.disconnect();
    run(100);
    expect(radio(0).linked).toBe(true);
    boards[0]!.evaluate("NRF.disconnect()");
    run(1);
    expect(link.reason).toBe(0x13);
    expect(radio(0).connectable).toBe(true);
    expect(await failing(link.read(1))).toBeInstanceOf(LinkLost);
  });

  test("that wants to pair is let in (Just Works) unless the script forbids it; bonding is told", async () => {
    const { boards, run, link, drive } = await meet("var log=[];NRF.on('bond',function(s){log.push(s)})");
    expect(await drive(link.pair())).toBe(true);
    run(1);
    expect(boards[0]!.evaluate("log.join()")).toBe("start,success");
    expect(boards[0]!.evaluate("NRF.getSecurityStatus().encrypted")).toBe(true);
    const closed = await meet("NRF.setSecurity({pair:false})", { hostile: { bonding: "asks" } });
    closed.run(2);
    expect(closed.boards[0]!.evaluate("NRF.getSecurityStatus().encrypted")).toBe(false);
  });

  test("that shows its values to bonded boards only gives the others an empty one, without an error", () => {
    const { boards, run, log, phone } = linkedBoards(1);
    const device = phone({ hostile: { bonding: "demands" } });
    device.serve({ [SERVICE]: { [READABLE]: { value: Uint8Array.of(9) }, [WRITABLE]: { onWrite: () => undefined } } });
    device.advertise([Uint8Array.of(2, 1, 6)]);
    boards[0]!.evaluate(
      clientScript(
        "return c.r.readValue().then(function(v){log.push(v.byteLength);return g.startBonding()}).then(function(){return c.r.readValue()}).then(function(v){log.push(v.getUint8(0))})",
        PHONE,
      ),
    );
    run(10);
    expect(log(0)).toEqual(["0", "9"]);
  });

  test("finds values that ask for encryption closed until it has paired", async () => {
    const { link, drive, find } = await meet(
      `NRF.setServices({"${SERVICE}":{"${READABLE}":{value:"a",readable:true,security:{read:{encrypted:true}}}}})`,
    );
    const { handle } = (await find())(READABLE);
    expect(await drive(failing(link.read(handle)))).toMatchObject({ code: 0x05 });
    await drive(link.pair());
    expect([...(await drive(link.read(handle)))]).toEqual([97]);
  });
});

test("a phone that scans hears boards, and goes on after it has connected", async () => {
  const { clock, phone, run } = linkedBoards(2);
  const device = phone();
  const heard: string[] = [];
  device.scan((report) => heard.push(report.address));
  run(2);
  expect(new Set(heard)).toEqual(new Set([addressOf(0), addressOf(1)]));
  await clock.drive(device.connect(addressOf(0)));
  heard.length = 0;
  run(2);
  expect(new Set(heard)).toEqual(new Set([addressOf(1)]));
});
