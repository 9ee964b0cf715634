import { describe, expect, test } from "vitest";
import { bench, START } from "../support/bench-board.ts";

describe("timers", () => {
  test("run in the order of their time, and those of one time in the order in which they were made", () => {
    const here = bench();
    here.board.evaluate('o="";setTimeout(function(){o+="c"},30);setTimeout(function(){o+="a"},10);setTimeout(function(){o+="b"},10)');
    here.pass(1);
    expect(here.value("o")).toBe("abc");
  });

  test("take arguments and strings, and give ids that come again", () => {
    const here = bench();
    here.board.evaluate('a=setTimeout(function(x,y){s=x+y},10,"p","q");b=setTimeout("t=5",10)');
    here.pass(1);
    expect(here.value("[s,t,a,b,setTimeout(function(){},1)]")).toEqual(["pq", 5, 1, 2, 1]);
  });

  test("an interval that is late catches up, one call each time round", () => {
    const here = bench();
    here.board.evaluate("n=0;setInterval(function(){n++},100)");
    here.pass(0.45);
    expect(here.value("n")).toBe(4);
    here.board.evaluate('setTimeout(function(){for(var i=0;i<5;i++)require("Flash").erasePage(0x70000)},1)');
    here.pass(0.4);
    expect(here.value("n")).toBe(4);
    here.pass(1.15);
    expect(here.value("n")).toBe(20);
  });

  test("an interval that throws goes on, and each error is printed", () => {
    const here = bench();
    here.type('\x10setInterval(function(){throw "bad"},1000)\n', 0.5);
    here.pass(3);
    expect(here.take().match(/Uncaught bad/g)).toHaveLength(3);
  });

  test("an interval that runs out of memory is removed", () => {
    const here = bench();
    here.type("\x10setInterval(function(){new Uint8Array(99999)},1000)\n", 0.5);
    here.pass(3);
    expect(here.take()).toBe(
      "\r\x1b[JOUT OF MEMORY    at :1:21\r\nnew Uint8Array(99999)\r\n                    ^\r\nERROR: Ctrl-C while processing interval - removing it.\r\n" +
        "Execution Interrupted during event processing.\r\nNew interpreter error: LOW_MEMORY,MEMORY,CALLBACK\r\n>",
    );
  });

  test("setTime moves the clock and leaves timers alone", () => {
    const here = bench();
    here.board.evaluate("setTimeout(function(){at=getTime()},1000);setTime(1700000000)");
    here.pass(0.9);
    expect(here.value("typeof at")).toBe("undefined");
    here.pass(0.2);
    expect(here.value("at")).toBeCloseTo(1_700_000_001, 2);
  });

  test("clearing without an id clears all; undefined is refused; changeInterval starts anew", () => {
    const here = bench();
    expect(here.value("(function(){try{clearTimeout(undefined)}catch(e){return e.message}})()")).toBe(
      "clearTimeout(undefined) not allowed. Use clearTimeout() instead",
    );
    here.board.evaluate("n=0;i=setInterval(function(){n++},100);changeInterval(i,1000)");
    here.pass(1.05);
    expect(here.value("n")).toBe(1);
    here.board.evaluate("clearInterval()");
    here.pass(5);
    expect(here.value("n")).toBe(1);
  });

  test("a script that waits in a loop for the time to pass comes out of it", () => {
    const here = bench();
    here.board.evaluate("t=getTime()+1;while(getTime()<t);");
    expect(here.value("getTime()-t")).toBeLessThan(0.01);
  });

  test("promises come before timers, and know then, catch, resolve, reject and all", () => {
    const here = bench();
    here.board.evaluate(
      'o=[];setTimeout(function(){o.push("timer")},0);Promise.all([Promise.resolve(1),2]).then(function(v){o.push(v);throw "x"}).then(function(){o.push("no")}).catch(function(e){o.push(e);return 7}).then(function(v){o.push(v)})',
    );
    here.pass(1);
    expect(here.value("o")).toEqual([[1, 2], "x", 7, "timer"]);
    expect(here.value("[typeof Promise.race,typeof Promise.resolve().finally]")).toEqual(["undefined", "undefined"]);
  });
});

describe("the board's clock", () => {
  test("runs off by its parts per million, timers with it", () => {
    const here = bench({ clockPpm: 200 });
    here.board.evaluate("setTime(1000);setTimeout(function(){done=1},100000)");
    here.pass(99.99);
    expect(here.value("done")).toBe(1);
    here.pass(10_000 - 99.99);
    expect(here.value("getTime()")).toBeCloseTo(1000 + 10_000 * 1.0002, 2);
  });

  test("has fractions of a second in whole ticks of 32768 Hz", () => {
    const here = bench();
    expect(here.value("getTime()*32768%1")).toBe(0);
    expect(here.value("Date.now()!==Math.floor(Date.now())")).toBe(true);
  });

  test("loses the time in which the radio's stack restarts", () => {
    const here = bench();
    here.board.evaluate("setTime(1000)");
    here.board.onStackRestart(50);
    here.pass(10);
    expect(here.value("getTime()")).toBeCloseTo(1009.95, 2);
  });
});

describe("pins", () => {
  test("a watch on the button is debounced and told when", () => {
    const here = bench();
    here.board.evaluate('setWatch(function(e){w=[e.state,e.time-e.lastTime,e.pin===BTN]},BTN,{edge:"falling",repeat:true,debounce:50})');
    here.board.pressButton(2000);
    here.pass(1);
    expect(here.value("[BTN.read(),typeof w]")).toEqual([true, "undefined"]);
    here.pass(2);
    expect(here.value("w[0]")).toBe(false);
    expect(here.value("w[1]")).toBeCloseTo(2, 3);
    expect(here.value("w[2]")).toBe(true);
  });

  test("lights are seen from outside, and go out at a reset", () => {
    const here = bench();
    here.board.evaluate("LED1.set();analogWrite(LED2,0.5);digitalPulse(LED3,1,100)");
    expect(here.board.lights).toEqual({ LED1: 1, LED2: 0.5, LED3: 1 });
    here.pass(0.2);
    expect(here.board.lights.LED3).toBe(0);
    here.board.reset();
    here.pass(1);
    expect(here.board.lights).toEqual({ LED1: 0, LED2: 0, LED3: 0 });
  });
});

describe("the watchdog", () => {
  test("that nobody kicks restarts the board", () => {
    const here = bench();
    here.board.evaluate("x=1;E.enableWatchdog(5,false)");
    here.pass(4.9);
    here.board.evaluate("E.kickWatchdog()");
    here.pass(4.9);
    expect(here.value("typeof x")).toBe("number");
    here.pass(1);
    expect(here.value("typeof x")).toBe("undefined");
  });

  test("in its automatic way is kicked by the idle loop", () => {
    const here = bench();
    here.board.evaluate("x=1;E.enableWatchdog(5)");
    here.pass(60);
    expect(here.value("x")).toBe(1);
  });

  test("is not misled by work that happens to run when it looks, nor by a page that is erased", () => {
    const here = bench();
    here.board.evaluate('x=1;E.enableWatchdog(1);setInterval(function(){for(var i=0;i<8;i++)require("Flash").erasePage(0x75000)},1000)');
    here.pass(20);
    expect(here.value("x")).toBe(1);
  });

  test("ends what does not come back, be it one that waits for a time that is far: RAM is gone, the clock goes on", () => {
    for (const hang of [
      (here: ReturnType<typeof bench>) => here.board.hang(),
      (here: ReturnType<typeof bench>) => here.board.enqueue(() => void here.board.evaluate("x=2;while(getTime()<2e9);x=3")),
    ]) {
      const here = bench();
      here.board.evaluate(`x=1;setTime(${START});E.enableWatchdog(5)`);
      hang(here);
      here.pass(4.9);
      here.pass(1);
      expect(here.value("typeof x")).toBe("undefined");
      expect(here.value("getTime()")).toBeCloseTo(START + 5.9, 1);
    }
  });

  test("goes on over a reboot by script, though the interpreter has forgotten to kick it", () => {
    const here = bench();
    here.board.evaluate("E.enableWatchdog(5)");
    here.pass(60);
    here.board.enqueue(() => void here.board.evaluate("E.reboot()"));
    here.pass(1);
    here.board.evaluate("x=1");
    here.pass(3.9);
    expect(here.value("x")).toBe(1);
    here.pass(0.2);
    expect(here.value("typeof x")).toBe("undefined");
    here.board.evaluate("x=1");
    here.pass(60);
    expect(here.value("x")).toBe(1);
  });
});
