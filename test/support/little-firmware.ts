import type { Bundle } from "../../host-tools/device/flash.ts";
import { LOG_VERSION } from "../../protocols/log-format.ts";

/** A firmware that only tells its status, in the interpreter's dialect: enough for what has to do with putting one on a board. `bytes`: at least so long. */
export function littleFirmware(
  options: { version?: string; board?: string; bytes?: number; logPages?: number; logVersion?: number; settings?: number[] } = {},
): Bundle {
  const version = options.version ?? "1.0.0";
  const board = options.board ?? "puckjs";
  const source = `(function(){function send(t){var n=t.length,h=String.fromCharCode(n&255,n>>8)+t,c=E.CRC32(h);
print("\\x01\\x7f"+h+String.fromCharCode(c&255,c>>8&255,c>>16&255,c>>>24))}
function hex(b){var s="",i;for(i=0;i<b.length;i++)s+=(b[i]+256).toString(16).substr(1);return s}
var head=require("Storage").read("tl.log",0,32),id=head?hex(E.toUint8Array(head).subarray(4,12)):"";
global.T={s:function(){send(JSON.stringify({v:"${version}",b:"${board}",r:"wearable",id:id,e:1,t:5,u:0,lo:0,hi:1000,ak:0,dr:0,pg:5,df:0,op:0,n:0,ad:0,ro:0,er:[0,0,0],
c:[${(options.settings ?? [300, 2, 250, 0, 0, -127, 0, 14, 2, 0, 2200, 0, 0]).join()}],mv:3000}))}};
`;
  const filler = `var x="${"0123456789abcdef".repeat(Math.ceil(Math.max(0, (options.bytes ?? 0) - source.length - 20) / 16))}";`;
  const code = Buffer.from(`${source}${filler}})();\n`, "latin1");
  return { code, board, role: "wearable", version, logPages: options.logPages ?? 5, logVersion: options.logVersion ?? LOG_VERSION };
}
