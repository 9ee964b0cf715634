// A radio for an interpreter that has none. It tells each call by one line, `~["name",first,second]`, and plays ten neighbours from a fixed script,
// so that two interpreters with the same firmware must write the same log. Nothing depends on the time of a call, only on how many scans there were.
// a port that nobody is at
var Bluetooth = { on: function () {}, println: function () {} };
var NRF = (function () {
  var scans = 0, timers = [], seed = 1;
  // random keys would differ from run to run
  E.hwRand = function () { seed = seed * 16807 % 2147483647; return seed; };
  function told(name) {
    return function (a, b) { print("~" + JSON.stringify([name, a, b])); };
  }
  // neighbour i sends an identifier for three scans; the last two send what is none
  function advertisement(i, n) {
    var id = new Uint8Array(20), k, crc;
    for (k = 0; k < 5; k++) {
      crc = E.CRC32("neighbour " + i + " " + ((n + i) / 3 | 0) + " " + k);
      id.set([crc >> 24, crc >> 16, crc >> 8, crc], k * 4);
    }
    if (i === 10) return E.toUint8Array([2, 1, 26, 3, 3, 111, 253, 19, 22, 111, 253], id.subarray(0, 16));
    if (i === 11) return E.toUint8Array([11, 9, "Puck.js abc"]);
    if (i === 9) return E.toUint8Array([3, 3, 111, 253, 23, 22, 111, 253], id);
    return E.toUint8Array([2, 1, 26, 3, 3, 111, 253, 23, 22, 111, 253], id);
  }
  function rssi(i, n, k) {
    if (i === 7 && n % 5 === 0) return 127;
    return -40 - (n * 7 + i * 11 + k * 5) % 50;
  }
  function play(heard, n, k) {
    for (var i = 0; i < 12; i++) {
      // absent for a while, each at its own time; some are heard once in a scan, some twice
      if ((n + 3 * i) % (8 + i) > 4 + i / 2 || (k && (n + i) % 3 === 0)) continue;
      heard({ id: "c0:00:00:00:00:" + (16 + i).toString(16) + " random", rssi: rssi(i, n, k), data: advertisement(i, n).buffer });
    }
  }
  return {
    sleep: told("sleep"),
    wake: told("wake"),
    setAdvertising: told("setAdvertising"),
    setAddress: told("setAddress"),
    setTxPower: told("setTxPower"),
    setScan: function (heard, options) {
      print("~" + JSON.stringify(["setScan", !!heard, options]));
      timers.forEach(function (id) { clearTimeout(id); });
      timers = [];
      if (!heard) return;
      scans++;
      timers.push(setTimeout(play, 300, heard, scans, 0), setTimeout(play, 1300, heard, scans, 1));
    },
    getAddress: function () { return "c0:00:00:00:00:01"; },
    getSecurityStatus: function () { return { connected: false }; },
    getBattery: function () { return 2.75; },
    on: function () {},
  };
})();
