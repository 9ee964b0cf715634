// One configuration for every firmware bundle. The generator (host-tools/generator/bundle.ts) calls `firmwareBundle` for what a user asks for;
// `rollup -c` builds the standard bundles with it, out of the generator that `tsc -b` has just compiled.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parse } from "acorn";
import { minify } from "terser";
import ts from "typescript";

const ROOT = dirname(fileURLToPath(import.meta.url));
/** The module whose exports are the constants of one bundle; see firmware/build-constants.d.ts. */
const BUILD = "tracelet:build";

/**
 * The bundle is flat, without a function around it: each function inside one would cost the interpreter a variable more, for the scope it closes over,
 * and a bundle has a hundred. So the names of the bundle are globals of the board, and these are taken: words of the interpreter that are
 * no words elsewhere, its short globals and pins, and our command object.
 */
const TAKEN = ["of", "static", "undefined", "E", "I2C", "LED", "BTN", "SPI", "USB", "NRF", "AES", "Pin", "g", "T"];
for (const port of "ABCDEFGHV") for (let pin = 0; pin < 64; pin++) TAKEN.push(port + pin);

/**
 * Properties of our own objects, which the minifier shortens wherever they stand: an object of the interpreter or one that goes into JSON must have none of them.
 */
export const OWN_PROPERTIES = [
  ...["aes128", "sha256", "randomBytes"],
  ...["address", "bucket", "bytes", "contextMs", "count", "have", "key", "messageMs", "newIds", "receive", "total", "type", "waiting"],
  ...["forgetKey", "lifetime", "made", "make", "period", "sender", "sent", "tag", "until"],
  ...["base", "era", "page"],
  ...["endStep", "start", "testify"],
];

const MINIFY = {
  ecma: 2015,
  toplevel: true,
  compress: {
    passes: 4,
    // shorter by eight characters, and no dearer in variables; nothing here uses `this` or `arguments`
    arrows: true,
    unsafe_arrows: true,
    keep_fargs: true,
    // each function stays a function: one that is pasted into its only caller is skimmed there, character by character, even where it isn't called
    reduce_funcs: false,
    inline: 1,
    // moves function declarations behind the statements that call them; the interpreter doesn't hoist
    if_return: false,
    // `void 0 === name` throws where `typeof name` does not
    typeofs: false,
    // the gate shall see it
    drop_debugger: false,
  },
  mangle: { reserved: TAKEN, properties: { builtins: true, regex: new RegExp(`^(${OWN_PROPERTIES.join("|")})$`) } },
  format: { ascii_only: true, comments: false },
  sourceMap: { asObject: true },
};

const TRANSPILE = {
  target: ts.ScriptTarget.ES2015,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  // fields go into the constructor: as class fields they would be shared by all instances
  useDefineForClassFields: false,
  sourceMap: true,
};

/** Relative imports of `.ts` files and the build constants; anything else has no place on a board. */
function resolveRelative() {
  return {
    name: "resolve-relative",
    resolveId(source, importer) {
      if (source === BUILD) return BUILD;
      if (!importer) return resolve(source);
      if (!/^\.\.?\/.*\.ts$/.test(source))
        this.error({ message: `"${source}": firmware imports relative .ts files and "${BUILD}" only`, id: importer });
      const path = resolve(dirname(importer), source);
      if (!existsSync(path)) this.error({ message: `"${source}": no such file`, id: importer });
      return path;
    },
  };
}

/** A literal each, so that the minifier takes out what a board or a role doesn't need. */
function buildConstants(constants) {
  const lines = Object.entries(constants).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};\n`);
  return {
    name: "build-constants",
    load: (id) => (id === BUILD ? lines.join("") : null),
  };
}

/** Several bundles are made of the same files. */
const transpiled = new Map();

/**
 * Leaves out `return;` and `return undefined;` where a function ends anyway. The minifier would write `return}`, which the interpreter takes for
 * a syntax error: it runs the text between the braces, and there `return` stands at the end of everything.
 */
function withoutLastReturn(context) {
  const { factory } = context;
  const isBare = (node) =>
    node && ts.isReturnStatement(node) && (!node.expression || (ts.isIdentifier(node.expression) && node.expression.text === "undefined"));
  const visit = (node) => {
    const visited = ts.visitEachChild(node, visit, context);
    const isBody = ts.isBlock(visited) && node.parent && ts.isFunctionLike(node.parent);
    if (!isBody || !isBare(visited.statements.at(-1))) return visited;
    return factory.updateBlock(visited, visited.statements.slice(0, -1));
  };
  return (file) => ts.visitNode(file, visit);
}

/** Takes the types out; `tsc -b` has checked them. */
function transpile() {
  return {
    name: "transpile",
    transform(code, id) {
      if (!id.endsWith(".ts")) return null;
      const known = transpiled.get(id);
      if (known?.source === code) return known.result;
      const out = ts.transpileModule(code, {
        compilerOptions: TRANSPILE,
        fileName: id,
        reportDiagnostics: true,
        transformers: { before: [withoutLastReturn] },
      });
      const problem = out.diagnostics?.[0];
      if (problem) this.error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"), problem.start);
      const text = out.outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
      // the compiler has seen that no constant is written to; on the board the shorter word does the same
      const result = { code: text.replace(/^(\s*(?:export )?)const /gm, "$1let "), map: out.sourceMapText };
      transpiled.set(id, { source: code, result });
      return result;
    },
  };
}

function minified(inspect) {
  return {
    name: "minified",
    async renderChunk(code) {
      inspect?.(code);
      return minify(code, MINIFY);
    },
  };
}

/**
 * Gives words of the interpreter that come up often a short name of the bundle's own: `new Uint8Array(n)` nineteen times is two hundred bytes of flash.
 * A name costs the interpreter three variables, so it has to save as many bytes as these take.
 */
const LEAST_SAVED = 40;
function aliased() {
  return {
    name: "aliased",
    renderChunk(code) {
      const places = new Map();
      walk(parse(code, { ecmaVersion: 2022, sourceType: "module" }), undefined, (node, parent) => {
        const word = wordOf(node, parent);
        if (word) places.set(word, [...(places.get(word) ?? []), node]);
      });
      let declared = "";
      const edits = [];
      for (const [word, nodes] of places) {
        // the minifier will give it a name of two letters
        if (nodes.length * (word.length - 2) - word.length - 4 < LEAST_SAVED) continue;
        const name = `the${word.replace(".", "_")}`;
        declared += `let ${name} = ${word};`;
        for (const { start, end } of nodes) edits.push({ start, end, name });
      }
      edits.sort((a, b) => b.start - a.start);
      for (const { start, end, name } of edits) code = code.slice(0, start) + name + code.slice(end);
      // on the first line, so that the lines of the map stay true
      return { code: declared + code, map: null };
    },
  };
}

/** `Uint8Array` or `Math.max`, where `node` is that and nothing of the bundle's; objects of state, such as `E`, keep their own names for the dialect gate. */
function wordOf(node, parent) {
  if (node.type === "Identifier" && /^(Uint8|Int32)Array$/.test(node.name)) return node.name;
  const isMath = node.type === "MemberExpression" && !node.computed && node.object.type === "Identifier" && node.object.name === "Math";
  return isMath && parent?.type === "CallExpression" && parent.callee === node ? `Math.${node.property.name}` : undefined;
}

function walk(node, parent, visit) {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (child && typeof child.type === "string") walk(child, node, visit);
  }
}

/** Hands the bundle to `finish`, which answers the code as it is flashed, byte by byte, and the manifest beside it. */
function finished(fileName, finish) {
  return {
    name: "finished",
    generateBundle(_, bundle) {
      const { code, map } = bundle[fileName];
      const firmware = finish(code, map);
      delete bundle[fileName];
      this.emitFile({ type: "asset", fileName, source: Buffer.from(firmware.code, "latin1") });
      this.emitFile({ type: "asset", fileName: fileName.replace(/js$/, "manifest.json"), source: JSON.stringify(firmware.manifest, null, 2) + "\n" });
    },
  };
}

/**
 * Rollup's input and output options for one bundle.
 * @param {{ entry: string, fileName: string, constants: Record<string, unknown>, inspect?: (code: string) => void, finish?: (code: string, map: object) => { code: string, text: string, manifest: object } }} options
 */
export function firmwareBundle({ entry, fileName, constants, inspect, finish }) {
  return {
    input: entry,
    plugins: [resolveRelative(), buildConstants(constants), transpile()],
    preserveEntrySignatures: false,
    onwarn(warning) {
      throw Object.assign(new Error(warning.message), { id: warning.id, loc: warning.loc });
    },
    output: {
      dir: join(ROOT, "dist/firmware"),
      entryFileNames: fileName,
      format: "es",
      strict: false,
      freeze: false,
      externalLiveBindings: false,
      generatedCode: { preset: "es2015", arrowFunctions: false, symbols: false },
      // a map beside the code, no comment in it
      sourcemap: "hidden",
      plugins: finish ? [aliased(), minified(inspect), finished(fileName, finish)] : [aliased(), minified(inspect)],
    },
  };
}

export default async function standardFirmware() {
  const generator = join(ROOT, "dist/host-tools/generator/bundle.js");
  if (!existsSync(generator)) throw new Error("dist/host-tools is not built; run `npm run build`, which compiles it first");
  const { standardBundles } = await import(pathToFileURL(generator).href);
  return (await standardBundles()).map(firmwareBundle);
}
