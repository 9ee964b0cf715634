import { Air } from "../host-tools/simulator/air.ts";
import { VirtualClock } from "../host-tools/simulator/virtual-clock.ts";

/** What the virtual air costs without any script: boards that advertise every 250 ms and listen 2 s in 300 s, all in one square. */
export function measureAir(options: { boards: number; hours: number; metres: number }): {
  cpuSeconds: number;
  receptions: number;
  boardDaysPerCpuSecond: number;
} {
  const begun = process.cpuUsage();
  const start = 1_600_000_000;
  const clock = new VirtualClock(start);
  const air = new Air({ clock, seed: 1 });
  let receptions = 0;
  for (let i = 0; i < options.boards; i++) {
    const station = air.station(`c0:00:00:00:00:${i.toString(16).padStart(2, "0")}`);
    air.place(station, { x: ((i * 37) % 100) * (options.metres / 100), y: ((i * 61) % 100) * (options.metres / 100) });
    const packets = [new Uint8Array(31)];
    const rotate = () => {
      station.advertise({ address: `${station.name} random`, packets, intervalMs: 250, txPower: 0, connectable: false, scannable: false });
      clock.after(600, rotate);
    };
    clock.after(i * 0.731, rotate);
    const listen = () => {
      station.scan({ windowMs: 100, intervalMs: 100, heard: () => receptions++ });
      clock.after(2, () => station.scan(undefined));
      clock.after(300, listen);
    };
    clock.after(i * 2.917, listen);
  }
  clock.advanceTo(start + options.hours * 3600);
  const used = process.cpuUsage(begun);
  const cpuSeconds = (used.user + used.system) / 1e6;
  return { cpuSeconds, receptions, boardDaysPerCpuSecond: (options.boards * options.hours) / 24 / cpuSeconds };
}
