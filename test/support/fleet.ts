import { Command } from "commander";
import { vi } from "vitest";
import { findBoard } from "../../boards/index.ts";
import { toBundle } from "../../host-tools/cli/flash.ts";
import { type ProvisionTools, provisionCommand } from "../../host-tools/cli/provision.ts";
import { hostClockOn } from "../../host-tools/device/host-clock.ts";
import { type MemoryTransport, openMemory } from "../../host-tools/device/memory.ts";
import { DeviceError, type ToolError } from "../../host-tools/errors.ts";
import { Air } from "../../host-tools/simulator/air.ts";
import { radioIn } from "../../host-tools/simulator/board-radio.ts";
import { VirtualBoard, type VirtualBoardOptions } from "../../host-tools/simulator/virtual-board.ts";
import { VirtualClock } from "../../host-tools/simulator/virtual-clock.ts";
import { firmwareFor } from "./built-firmware.ts";

/** 2026-11-22 */
const START = Date.UTC(2026, 10, 22, 9) / 1000;

export interface Outcome {
  out: string;
  /** Lines on stderr. */
  err: string[];
  error?: ToolError;
}

/** Boards on a table, ports they can be put on, and the real `tracelet provision` in virtual time. */
export class Fleet {
  readonly clock = new VirtualClock(START);
  readonly air = new Air({ clock: this.clock, seed: 1 });
  readonly ports = new Map<string, VirtualBoard | undefined>();
  /** Links that are open now, by port. */
  readonly links = new Map<string, MemoryTransport>();
  /** Called when a link is opened: may throw, or spoil it. */
  onOpen: (port: string, link: MemoryTransport) => void = () => {};
  /** Called for each line on stderr. */
  onSaid: (line: string) => void = () => {};
  openings = 0;
  private seeds = 0;

  /** A new board with its battery in. Each has a chip of its own. */
  board(id = "puckjs", options: Partial<VirtualBoardOptions> = {}): VirtualBoard {
    this.seeds += 1;
    const board = new VirtualBoard({ facts: findBoard(id)!, clock: this.clock, seed: 1000 + this.seeds, radio: radioIn(this.air), ...options });
    board.powerOn();
    return board;
  }

  put(port: string, board: VirtualBoard | undefined): VirtualBoard | undefined {
    this.ports.set(port, board);
    return board;
  }

  private tools(): ProvisionTools {
    return {
      clock: hostClockOn(this.clock),
      open: async (port) => {
        if (!this.ports.has(port)) throw new DeviceError("no_port", `${port}: there is no such port`);
        this.openings += 1;
        const board = this.ports.get(port);
        // an adapter without a board: nothing goes in, nothing comes out
        const link = openMemory(board ?? { input: () => {}, onOutput: () => {} }, port);
        this.links.set(port, link);
        this.onOpen(port, link);
        return link;
      },
      ports: async () => [...this.ports.keys()],
      build: async (board, role, protocols, features) => {
        const { code, manifest } = await firmwareFor(role, board, {}, features, protocols);
        return toBundle(Buffer.from(code, "latin1"), manifest);
      },
    };
  }

  /** One command line. */
  async provision(...argv: string[]): Promise<Outcome> {
    const program = new Command();
    provisionCommand(this.tools())(program);
    for (const command of [program, ...program.commands]) command.exitOverride().configureOutput({ outputError: () => {} });
    const outcome: Outcome = { out: "", err: [] };
    const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
      outcome.out += String(text);
      return true;
    });
    const err = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      const line = String(text).trimEnd();
      outcome.err.push(line);
      this.onSaid(line);
      return true;
    });
    try {
      await this.clock.drive(program.parseAsync(["provision", ...argv], { from: "user" }), { limit: 100_000 });
    } catch (error) {
      outcome.error = error as ToolError;
    } finally {
      out.mockRestore();
      err.mockRestore();
    }
    return outcome;
  }
}
