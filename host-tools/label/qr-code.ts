import qrcode from "qrcode-generator";

/** Modules of a QR code, without the blank border of 4 modules it needs around it. */
export interface QrCode {
  /** Modules a side. */
  size: number;
  isDark(row: number, column: number): boolean;
}

/** The smallest QR code for `text`, ASCII. Level M is read though 15 % of it are damaged, L for screens, which aren't scratched, though 7 %. Source: ISO/IEC 18004. */
export function qrCode(text: string, level: "L" | "M" = "M"): QrCode {
  const code = qrcode(0, level);
  code.addData(text, "Byte");
  code.make();
  return { size: code.getModuleCount(), isDark: (row, column) => code.isDark(row, column) };
}
