import { readdir } from "node:fs/promises";

export interface PortEntry {
  path: string;
  /** Maker and serial number of an adapter, "" where the system doesn't tell. */
  description: string;
}

interface ListedPort {
  path: string;
  manufacturer?: string;
  serialNumber?: string;
}

/** Names under which Linux shows UARTs and adapters. ttyS* is left out: a PC shows dozens that don't exist. */
const LIKELY = /^(ttyUSB|ttyACM|ttyAMA|serial)\d+$/;

async function bySerialPort(): Promise<ListedPort[]> {
  const { SerialPort } = await import("serialport");
  return SerialPort.list();
}

/** Serial ports of this computer. Where the system's own list can't be had (no udev), by the names in /dev. */
export async function listPorts(
  list: () => Promise<ListedPort[]> = bySerialPort,
  names: () => Promise<string[]> = () => readdir("/dev"),
): Promise<PortEntry[]> {
  const found = new Map<string, PortEntry>();
  for (const port of await list().catch(() => [])) {
    if (/\/ttyS\d+$/.test(port.path) && !port.manufacturer) continue;
    found.set(port.path, { path: port.path, description: [port.manufacturer, port.serialNumber].filter(Boolean).join(", ") });
  }
  for (const name of await names().catch(() => [])) {
    const path = "/dev/" + name;
    if (LIKELY.test(name) && !found.has(path)) found.set(path, { path, description: /^serial/.test(name) ? "UART of a Raspberry Pi" : "" });
  }
  return [...found.values()].sort((a, b) => a.path.localeCompare(b.path, "en", { numeric: true }));
}
