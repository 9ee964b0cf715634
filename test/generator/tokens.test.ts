import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as acorn from "acorn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTokens, spelt, tokenise } from "../../host-tools/generator/tokens.ts";
import { firmwareFor } from "../support/built-firmware.ts";

/** The pretokeniser of EspruinoTools, which Espruino's own IDE uses: it finds acorn and its host as globals. */
function theirs(): { tokenise(code: string): string; untokenise(stored: string): string } {
  const source = readFileSync(createRequire(import.meta.url).resolve("espruino/plugins/pretokenise.js"), "utf8");
  const host = { Config: { PRETOKENISE: 1 }, Core: { Env: { getBoardData: () => ({ VERSION: "2v19" }) } }, Plugins: {} as Record<string, never> };
  new Function("acorn", "Espruino", source)(acorn, host);
  return host.Plugins.Pretokenise!;
}

/** Texts of both kinds, as the minifier leaves them. */
async function bundles(): Promise<string[]> {
  return [(await firmwareFor()).text, (await firmwareFor("wearable", "pixljs")).text];
}

const SCRIPT = fc
  .array(
    fc.constantFrom(
      "let a=1;",
      "function f(b){if(b===0)return;else return b+ ++a}",
      "for(let i=0;i<9;i++)a-= -i;",
      "f(a- --a);",
      `print("\\"if",'=>',\`\${a===1?"else":a}\`);`,
      "let o={if:1,of:2,in(){return this}};",
      "o.delete=typeof o.in;",
      "o.in instanceof Object&&void 0;",
      "let r=/\"if'/;",
      "let $x=a,y=$x in o||new Date;",
      "do a>>>=1;while(a);",
      "try{throw a}catch(e){}finally{}",
      "switch(a){case 1:case -1:break;default:}",
      "((b,c)=>b<=c)(1,2);",
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.map((part) => `{${part}}`).join(""));

describe("code as it is flashed", () => {
  test("is what Espruino's own tools make of it, but for `catch`, which they spell out", async () => {
    for (const text of await bundles()) expect(tokenise(text).replaceAll("\xb2", "catch") === theirs().tokenise(text)).toBe(true);
  });

  test("reads back as the very text, by ours and by Espruino's own tools", async () => {
    for (const text of await bundles()) {
      expect(readTokens(tokenise(text)).text === text).toBe(true);
      // a person can do with other blanks
      const plain = text.replaceAll(" ", "");
      expect(spelt(tokenise(text)).replaceAll(" ", "") === plain).toBe(true);
      expect(theirs().untokenise(tokenise(text)).replaceAll(" ", "") === plain).toBe(true);
    }
  });

  test("means the same, whatever the script, and each place in it is found", () => {
    fc.assert(
      fc.property(SCRIPT, (script) => {
        const { stored, text, storedOffset } = readTokens(tokenise(script));
        const shape = (code: string) =>
          [...acorn.tokenizer(code, { ecmaVersion: 2022 })].map(({ type, start, end }) => [type.label, code.slice(start, end)]);
        expect(shape(text)).toEqual(shape(script));
        expect(stored.length).toBeLessThanOrEqual(script.length);
        let last = -1;
        for (const { start, end } of acorn.tokenizer(text, { ecmaVersion: 2022 })) {
          const at = storedOffset(start);
          if (end > start) expect(at).toBeGreaterThan(last);
          if (end > start) last = at;
          if (stored.charCodeAt(at) < 128) expect(stored[at]).toBe(text[start]);
        }
      }),
    );
  });

  test("has words only where they are words", () => {
    expect(tokenise("o.if={new:1,in(){}}")).toBe("o.if={new:1,in(){}}");
    expect(tokenise("print(undefined,of,static_)")).toBe("print(undefined,of,static_)");
    expect(tokenise("return_=typeof returned")).toBe("return_=\xbfreturned");
    expect(tokenise('a="if"')).toBe('a="if"');
  });

  test("a script that has no tokens is left as it is, bytes above 127 too", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = text.replace(/[\x8a-\xcc]/g, "");
        expect(readTokens(plain)).toMatchObject({ stored: plain, text: plain });
        expect(spelt(plain)).toBe(plain);
      }),
    );
  });

  test("what isn't a script at all is read to its end", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 60 }), (bytes) => {
        const stored = String.fromCharCode(...bytes);
        const { text, storedOffset } = readTokens(stored);
        expect(storedOffset(text.length)).toBe(stored.length);
      }),
    );
  });
});
