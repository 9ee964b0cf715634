import { createCipheriv } from "node:crypto";
import type { BoardCore } from "./board-core.ts";
import { bytesOf } from "./byte-arguments.ts";
import type { RamAddresses, RamPiece } from "./ram-addresses.ts";
import { Abort } from "./script-errors.ts";

/** Number of `sd_ecb_block_encrypt` by the SoftDevice's firmware id. Source: the order of enum NRF_SOC_SVCS in nrf_soc.h of S132 3.1.0 and S140 6.1.1. */
const ECB_BLOCK_ENCRYPT: { [firmwareId: number]: number } = { 145: 0x43, 182: 0x46 };
/** Numbers from here to there are calls of the SoftDevice. */
const FIRST_CALL = 0x10;
const LAST_CALL = 0xbf;
/** Source: nrf_error.h */
const NRF_SUCCESS = 0;
const NRF_ERROR_SVC_HANDLER_MISSING = 1;
/** Key, clear text, cipher text. */
const ECB_BYTES = 48;
/** Numbers in, a number out: at most so many arguments, which is what the interpreter allows. */
const SIGNATURE = /^int\((int(,int){0,3})?\)$/;

/** A call of machine code: Thumb, entered at byte `offset` of `code` with up to four numbers in r0 to r3. */
export interface MachineCall {
  code: Uint8Array;
  offset: number;
  args: number[];
  /** What lies in memory, to read and to write. */
  memory: RamPiece[];
}

/** What stands for the processor: answers what is in r0 in the end. */
export type MachineCode = (call: MachineCall) => number;

/**
 * `E.nativeCall`. A supervisor call of the SoftDevice and back, `svc #N; bx lr`, is modelled here: the block cipher, and what the radio knows. Any other call of the SoftDevice's is
 * taken for the worst that it may do, a fault and a restart, and so is code that isn't Thumb, or a block where nothing lies. Further code needs a processor (`machineCode`).
 * Source: Espruino 2v29, src/jswrap_espruino.c; Nordic, nrf_soc.h and ble_gap.h.
 */
export function nativeCalls(core: BoardCore, ram: RamAddresses): (address: unknown, signature: unknown, code: unknown) => unknown {
  const { realm, facts } = core;

  const fault = (): never => {
    core.print("NRF ERROR 0x1001\n at ?:0\nREBOOTING.\n");
    core.restart({ kind: "reboot" });
    throw new Abort();
  };
  const encrypt = (address: number): number => {
    const data = address & 3 ? undefined : ram.at(address, ECB_BYTES);
    if (!data) return fault();
    const cipher = createCipheriv("aes-128-ecb", data.subarray(0, 16), null).setAutoPadding(false);
    data.set(cipher.update(data.subarray(16, 32)), 32);
    return NRF_SUCCESS;
  };
  const supervisorCall = (number: number, args: number[]): number => {
    if (number === ECB_BLOCK_ENCRYPT[facts.softDevice.firmwareId]) return encrypt(args[0] ?? 0);
    const answer = core.radio?.supervisorCall?.(number, args, (address, length) => ram.at(address, length));
    if (answer !== undefined) return answer;
    return number >= FIRST_CALL && number <= LAST_CALL ? fault() : NRF_ERROR_SVC_HANDLER_MISSING;
  };

  return (address, signature, code) => {
    if (typeof signature !== "string") throw realm.error("Invalid Signature");
    if (!SIGNATURE.test(signature)) throw realm.error("E.nativeCall with other than int arguments is missing in the virtual board");
    const bytes = code === undefined ? new Uint8Array(0) : bytesOf(code);
    const offset = Number(address) & ~1;
    const thumb = (Number(address) & 1) === 1;
    const [number, service, returnLow, returnHigh] = bytes.subarray(offset, offset + 4);
    const isSupervisorCall = bytes.length === offset + 4 && service === 0xdf && returnLow === 0x70 && returnHigh === 0x47;
    const { machineCode } = core;
    if (!isSupervisorCall && !machineCode) throw realm.error("E.nativeCall of other code than svc and bx lr is missing in the virtual board");
    return realm.native((...values: never[]) => {
      const args = values.map((value) => Number(value) | 0);
      if (!thumb) return fault();
      return isSupervisorCall ? supervisorCall(number!, args) : machineCode!({ code: bytes, offset, args, memory: ram.pieces() });
    });
  };
}
