// One configuration for every firmware bundle. The generator (host-tools/generator/bundle.ts) calls `firmwareBundle` for what a user asks for;
// `rollup -c` builds the standard bundles with it, out of the generator that `tsc -b` has just compiled.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
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

const MINIFY = {
  ecma: 2015,
  toplevel: true,
  compress: {
    passes: 4,
    arrows: false,
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
  mangle: { reserved: TAKEN },
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

function minified() {
  return {
    name: "minified",
    async renderChunk(code) {
      return minify(code, MINIFY);
    },
  };
}

/** Hands the bundle to `finish`, which answers the code as it is flashed and the manifest beside it. */
function finished(fileName, finish) {
  return {
    name: "finished",
    generateBundle(_, bundle) {
      const chunk = bundle[fileName];
      const firmware = finish(chunk.code, chunk.map);
      chunk.code = firmware.code;
      this.emitFile({ type: "asset", fileName: fileName.replace(/js$/, "manifest.json"), source: JSON.stringify(firmware.manifest, null, 2) + "\n" });
    },
  };
}

/**
 * Rollup's input and output options for one bundle.
 * @param {{ entry: string, fileName: string, constants: Record<string, unknown>, finish?: (code: string, map: object) => { code: string, manifest: object } }} options
 */
export function firmwareBundle({ entry, fileName, constants, finish }) {
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
      plugins: finish ? [minified(), finished(fileName, finish)] : [minified()],
    },
  };
}

export default async function standardFirmware() {
  const generator = join(ROOT, "dist/host-tools/generator/bundle.js");
  if (!existsSync(generator)) throw new Error("dist/host-tools is not built; run `npm run build`, which compiles it first");
  const { standardBundles } = await import(pathToFileURL(generator).href);
  return standardBundles().map(firmwareBundle);
}
