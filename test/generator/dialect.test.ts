import { describe, expect, test } from "vitest";
import { checkDialect } from "../../host-tools/generator/dialect.ts";

/** A fact of the interpreter: code that must be found, each line under the name of the feature, and code close to it that must pass. */
interface Fact {
  feature: string;
  found: string[];
  passes: string[];
}

const FACTS: { [section: string]: Fact[] } = {
  "syntax that is not supported": [
    {
      feature: "destructuring",
      found: [
        "var {a} = b",
        "let [a, b] = [1, 2]",
        "function f({a}) { return a }",
        "const f = ([a]) => a",
        "var a, b; [a, b] = [1, 2]",
        "var a; ({a} = b)",
        "for (const [k, v] of x) print(k)",
        "try { f() } catch ({message}) { print(message) }",
      ],
      passes: ["var o = {a: 1}; var a = o.a", "var a = [1, 2][0]", "try { f() } catch { print(1) }", "f({a: 1, b: [2]})"],
    },
    {
      feature: "spread",
      found: ["f(...a)", "var a = [1, ...b]", "var o = {...p}", "new F(...a)"],
      passes: ["f.apply(null, a)", "var a = [1].concat(b)", "Object.assign({}, p)"],
    },
    { feature: "rest-parameter", found: ["function f(...a) {}", "var f = (...a) => a"], passes: ["function f(a) { return arguments }"] },
    {
      feature: "default-parameter",
      found: ["function f(a = 1) {}", "var f = (a = 1) => a"],
      passes: ["function f(a) { if (a === undefined) a = 1; return a }"],
    },
    { feature: "optional-chaining", found: ["a?.b", "a?.[0]", "a?.()"], passes: ["a && a.b", "a?.5:1", "a ? .5 : 1", "a ?? 1"] },
    { feature: "exponent", found: ["a ** 2", "a **= 2"], passes: ["a * a", "a *= 2"] },
    { feature: "logical-assignment", found: ["a ??= 1", "a ||= 1", "a &&= 1"], passes: ["a = a || 1", "a |= 1", "a = a ?? 1"] },
    {
      feature: "async",
      found: [
        "async function f() {}",
        "var f = async () => 1",
        "var o = {async f() {}}",
        "class A { async f() {} }",
        "async function f() { await 1 }",
        "await f()",
      ],
      passes: ["f().then(g)", "var o = {async: 1}", "var async = 1, await = 2"],
    },
    { feature: "generator", found: ["function* f() {}", "var o = {*f() {}}", "function* f() { yield 1 }"], passes: ["var yield_ = 1", "a * b"] },
    {
      feature: "module-syntax",
      found: ['import a from "b"', "export const a = 1", "export default 1", 'export * from "a"', 'import("a")', "import.meta.url"],
      passes: ['require("Storage")', "exports.a = 1", "var o = {import: 1, export: 2}; o.import"],
    },
    { feature: "label", found: ["outer: for (;;) break outer", "a: 1"], passes: ["for (;;) break", "var o = {a: 1}", "a ? b : c"] },
    { feature: "with", found: ["with (a) b"], passes: ["var o = {with: 1}"] },
    { feature: "tagged-template", found: ["f`a`", "String.raw`a`"], passes: ["f(`a`)"] },
    { feature: "new-target", found: ["function F() { return new.target }"], passes: ["function F() { return this }"] },
    {
      feature: "computed-key",
      found: ["var o = {[k]: 1}", "class A { [k]() {} }", "var o = {[k]() {}}"],
      passes: ["var o = {}; o[k] = 1", 'var o = {"a b": 1, 3: 4}'],
    },
    {
      feature: "private-name",
      found: ["class A { #x = 1; f() { return this.#x } }", "class A { #f() {} }"],
      passes: ["class A { f() { return this._x } }"],
    },
    { feature: "static-block", found: ["class A { static { f() } }"], passes: ["class A { static x = 1; static f() {} }"] },
    { feature: "field-without-value", found: ["class A { y; f() {} }", "class A { static y; }"], passes: ["class A { y = 1; f() {} }"] },
    { feature: "bigint", found: ["10n", "0x1fn"], passes: ["10", "0x1f"] },
    { feature: "unicode-escape", found: ['"\\u{1F600}"', "`\\u{41}`"], passes: ['"\\u0041"', '"\\\\u{41}"', '"\\x41"'] },
    {
      feature: "super-in-arrow",
      found: ["class B extends A { f() { return (() => super.f())() } }"],
      passes: ["class B extends A { f() { return super.f() } }", "class B extends A { constructor() { super(); this.x = [1].map(a => a) } }"],
    },
    {
      feature: "extends-builtin",
      found: ["class X extends Array {}", "class X extends Error { constructor(m) { super(m) } }", "var X = class extends Uint8Array {}"],
      passes: ["class Y {} class X extends Y {}", "function E2() {} E2.prototype = Object.create(Error.prototype)"],
    },
    {
      feature: "method-name",
      found: [
        "class A { delete() {} }",
        "class A { static new() {} }",
        "class A { get in() { return 1 } }",
        'class A { "a b"() {} }',
        "class A { 5() {} }",
      ],
      passes: ["class A { get() {} set() {} erase() {} }", "var o = {delete() { return 1 }, if: 5}; o.delete()"],
    },
    { feature: "debugger", found: ["debugger"], passes: ["var o = {debugger: 1}"] },
    {
      feature: "reserved-name",
      found: ["var of = 1", "function f(of) { return of }", "var static = 1", "of = 1"],
      passes: ["for (const a of b) f(a)", "var o = {of: 1, static: 2}; o.of", "class A { static f() {} }"],
    },
    {
      feature: "case-after-default",
      found: ["switch (a) { default: f(); case 1: g() }"],
      passes: ["switch (a) { case 1: case 2: g(); break; default: f() }"],
    },
    { feature: "syntax", found: ["var = 1", "f(", "if (", "'abc"], passes: ["var a = 1"] },
  ],

  "differences from the standard": [
    {
      feature: "use-before-definition",
      found: [
        "f(); function f() {}",
        "function g() { return h() } g(); function h() {}",
        "(function () { inner(); function inner() {} })()",
        "function outer() { return inner(); function inner() { return 1 } }",
        "if (a) { var u = 1 } print(u)",
        "for (var i = 0; i < n; i++) { var last = i } print(last)",
        "while (a()) { var b = 1 } print(b)",
        "switch (a) { case 1: var b = 1; break; case 2: print(b) } ",
        "try { var a = f() } catch (e) {} print(a)",
        "print(a); var a = 1",
        "a = 1; var a",
        "const x = y; const y = 1",
        "class B extends A {} class A {}",
        "const b = new B(); class B { constructor() { this.a = 1 } }",
        "[1].forEach(function (x) { use(x) }); function use(x) { print(x) }",
        "function run(callback) { callback() } run(function () { return late }); var late = 1",
        "new Promise(function (ok) { ok(late) }); const late = 1",
        "const f = function () { return g() }; f(); const g = function () { return 1 }",
        "function f() { if (a) var x = 1; return function () { return x } }",
        "const k = (a = b, function () { return a })(); var a",
      ],
      passes: [
        "function f() {} f()",
        "function g() { return h() } function h() {} g()",
        "var later; function g() { return later } later = 1; g()",
        "function g() { return later } var later = 1; g()",
        "if (a) { var u = 1; print(u) }",
        "var u; if (a) u = 1; print(u)",
        "if (a) { var u = 1 } else { var u = 2 } print(u)",
        "function f() { if (a) { return 1 } else { var x = 2 } return x }",
        "function f() { if (!a) throw 1; var x = 2; return x }",
        "switch (a) { case 1: { const b = 1; f(b); break } default: var c = 2 }",
        "for (var i = 0; i < 3; i++) f(i); print(i)",
        "do { var a = f() } while (a); print(a)",
        "for (;;) { var a = f(); if (a) break } print(a)",
        "print(typeof z); let z = 1",
        "setTimeout(function () { print(late) }, 10); var late = 1",
        "function even(n) { return n ? odd(n - 1) : true } function odd(n) { return n ? even(n - 1) : false } even(4)",
        "const f = function again(n) { return n ? again(n - 1) : 0 }; f(2)",
        "function f(a, b) { return a + b + arguments.length } f(1, 2)",
        "const o = { m: function () { return o.x }, x: 1 }",
        "function make() { const device = { go: function () { wake() } }; function wake() { device.go() } wake() } make()",
        "class A {} class B extends A {} new B()",
        "try { f() } catch (e) { print(e) }",
        "let n = 0; while (n < 3) { n++ } print(n)",
        "for (const k in o) { const v = o[k]; print(v) }",
      ],
    },
    {
      feature: "loop-closure",
      found: [
        "for (let i = 0; i < 3; i++) fs.push(function () { return i })",
        "for (const x of xs) setTimeout(() => print(x), 1)",
        "for (const k in o) list.push({ get: function () { return k } })",
      ],
      passes: [
        "for (let i = 0; i < 3; i++) { const j = i; fs.push(function () { return j }) }",
        "for (let i = 0; i < 3; i++) xs.forEach(function (x) { print(x, i) })",
        "for (let i = 0; i < 3; i++) (function () { print(i) })()",
        "for (let i = 0; i < 3; i++) print(i)",
        "for (var i = 0; i < 3; i++) fs.push(function () { return i })",
      ],
    },
    {
      feature: "let-in-switch",
      found: ["switch (a) { case 1: let b = 1; f(b) }", "switch (a) { default: const c = 1 }"],
      passes: ["switch (a) { case 1: { let b = 1; f(b) } }", "switch (a) { case 1: var b = 1; f(b) }"],
    },
    {
      feature: "shared-field",
      found: ["class A { list = [] }", "class A { o = {} }", "class A { b = new Uint8Array(4) }", "class A { f = () => this.x }"],
      passes: [
        "class A { n = 0; s = 'a' }",
        "class A { constructor() { this.list = [] } }",
        "class A { static list = [] }",
        "class A { f = () => 1 }",
      ],
    },
    {
      feature: "static-inheritance",
      found: ["class A { static s() {} } class B extends A {} B.s()", "class A { static n = 1 } class B extends A {} print(B.n)"],
      passes: [
        "class A { static s() {} } class B extends A {} A.s()",
        "class A { static s() {} } class B extends A { static s() {} } B.s()",
        "class B extends A {} B.s()",
      ],
    },
    {
      feature: "return-newline",
      found: ["function f() { return\n42 }", "function f() { if (a) return\nelse b() }", "function f() { return // nothing\n g() }"],
      passes: [
        "function f() { return;\n42 }",
        "function f() { return }",
        "function f() { return\n}",
        "function f() { return 42 }",
        "function f() { return ;g() }",
      ],
    },
    {
      feature: "return-at-end",
      found: [
        "function f() { if (a) return 1; return }",
        "function f() { if (a) return }",
        "function f() { g(); return /* nothing */ }",
        "var f = () => { g(); return\n}",
        "class A { m() { g(); return } }",
      ],
      passes: [
        "function f() { return }",
        "function f() { if (a) return; }",
        "function f() { if (a) { return } }",
        "function f() { g(); return 1 }",
        "function f() { g(); return undefined }",
      ],
    },
    {
      feature: "array-length",
      found: ["a.length = 0", "[1, 2].length = 0", "a.length++"],
      passes: ["a.splice(0)", "var n = a.length", "o.size = 0"],
    },
    {
      feature: "arguments-write",
      found: ["function f(a) { arguments[0] = 1; return a }"],
      passes: ["function f(a) { return arguments[0] }", "var x = {}; x[0] = 1"],
    },
    {
      feature: "function-name",
      found: ["function f() {} print(f.name)", "class A {} A.name", "x.constructor.name"],
      passes: ["function f() {} f.length", "device.name"],
    },
    {
      feature: "error-name",
      found: ["try { f() } catch (e) { print(e.name) }", 'const e = new Error("a"); e.name', 'const e = TypeError("a"); e.name'],
      passes: ["try { f() } catch (e) { print(e.type, e.message) }", "function f(e) { return e.name }"],
    },
    {
      feature: "instanceof-primitive",
      found: ["a instanceof String", "a instanceof Number"],
      passes: ["a instanceof Array", 'typeof a === "string"'],
    },
    {
      feature: "prototype-method",
      found: ["Array.prototype.slice.call(a)", "String.prototype.trim", "Uint8Array.prototype.set.call(a, b)", "Function.prototype.call"],
      passes: [
        "[].slice.call(a)",
        "Object.prototype.hasOwnProperty.call(a, b)",
        "Array.prototype.last = function () { return this[0] }",
        "Mine.prototype.f.call(a)",
      ],
    },
    {
      feature: "compound-assignment",
      found: ["x += (x = 5)", "x += x++", "let n = 1; function f() { n = 5; return 1 } n += f()"],
      passes: ["x += y", "x = x + (x = 5)", "let n = 1; function f() { return n } n += f()"],
    },
    {
      feature: "delete-in-for-in",
      found: ["for (const k in o) { if (f(k)) delete o[k] }"],
      passes: ["Object.keys(o).forEach(function (k) { delete o[k] })", "for (const k in o) delete p[k]"],
    },
    {
      feature: "global-collision",
      found: ["var T = 1; global.T = 2", "function g() {} globalThis.g = 1"],
      passes: ["global.T = 2", "function f() { var T = 1; global.T = T } f()"],
    },
  ],

  numbers: [
    {
      feature: "math-pow",
      found: ["Math.pow(2, 32)", "Math.pow(x, y)", "Math.pow(10, x / 10)", "Math.pow(2, -1)", "Math.pow(2, 0.5)"],
      passes: ["Math.pow(2, 8)", "Math.exp(y * Math.log(x))", "x * x", "Mine.pow(2, 32)"],
    },
    {
      feature: "large-integer",
      found: ["9223372036854775808", "0x8000000000000000"],
      passes: ["9007199254740991", "9223372036854775807e0", "1e21", "4294967296"],
    },
    { feature: "negative-zero", found: ["-0"], passes: ["-1", "1 - 0", "0"] },
    { feature: "to-fixed", found: ["x.toFixed(0)", "x.toFixed()"], passes: ["x.toFixed(2)", "Math.round(x)"] },
    {
      feature: "absent-method",
      found: [
        "Math.imul(a, b)",
        "Math.trunc(a)",
        "Math.clz32(a)",
        "Math.fround(a)",
        "Math.hypot(a, b)",
        "Math.log2(a)",
        "Math.log10(a)",
        "Math.cbrt(a)",
        "Number.isInteger(a)",
        "Number.isFinite(a)",
        "Number.isNaN(a)",
        "Number.MAX_SAFE_INTEGER",
        "Number.EPSILON",
        "Number.parseInt(a)",
        "(5).toPrecision(2)",
        "x.toPrecision(3)",
      ],
      passes: [
        "Math.floor(a)",
        "Math.sign(a)",
        "Math.clip(a, 0, 1)",
        "isFinite(a)",
        "isNaN(a)",
        "parseInt(a)",
        "Number.MAX_VALUE",
        "Number(a)",
        "Math.LN2",
      ],
    },
  ],

  "strings are bytes": [
    {
      feature: "wide-character",
      found: ['"\\u20ac"', '"é"', '"€"', "`é`", "String.fromCharCode(300)"],
      passes: ['"\\xe9"', '"\\u00e9"', '"\\0"', "String.fromCharCode(200)", "String.fromCharCode(x)"],
    },
    { feature: "unicode", found: ["E.asUTF8(a)", "E.fromUTF8(a)", "E.isUTF8(a)"], passes: ["E.toString(a)"] },
    {
      feature: "absent-method",
      found: [
        '"a".at(0)',
        "s.codePointAt(0)",
        "s.localeCompare(t)",
        "s.trimStart()",
        "s.trimEnd()",
        "s.search(/a/)",
        "s.matchAll(/a/g)",
        "s.normalize()",
        "String.raw",
        "String.fromCodePoint(65)",
        'const s = "a"; s.anchor()',
      ],
      passes: [
        "s.trim()",
        "s.lastIndexOf('a')",
        '"a".lastIndexOf("b")',
        "s.padStart(2)",
        "s.replaceAll('a', 'b')",
        "s.removeAccents()",
        "var o = {at: 1}; o.at",
        "var o = {search() {}}; o.search()",
      ],
    },
    {
      feature: "replace-function",
      found: ['s.replace("x", function () { return "y" })', "s.replace(`x`, a => a)"],
      passes: ["s.replace(/x/, function () { return 'y' })", 's.replace("x", "y")'],
    },
    {
      feature: "absent-global",
      found: ["escape(a)", "unescape(a)", "encodeURI(a)", "decodeURI(a)"],
      passes: ["encodeURIComponent(a)", "btoa(a)", "atob(a)"],
    },
  ],

  "arrays, objects, typed arrays": [
    {
      feature: "absent-method",
      found: [
        "Array.from(a)",
        "Array.of(1)",
        "[[1]].flat()",
        "a.flatMap(f)",
        "[1].at(-1)",
        "[1].lastIndexOf(1)",
        "a.reduceRight(f)",
        "a.findLast(f)",
        "a.findLastIndex(f)",
        "a.copyWithin(0)",
        "[1].entries()",
        "const a = []; a.keys()",
        "Object.keys(o).values()",
        "a.toSorted()",
      ],
      passes: [
        "Array.isArray(a)",
        "[1].concat(a)",
        "a.find(f)",
        "a.includes(1)",
        "Object.keys(o)",
        "Object.entries(o)",
        "Object.fromEntries(a)",
        "m.keys()",
        "[1].join()",
        "[1].on('x', f)",
      ],
    },
    {
      feature: "absent-method",
      found: ["Object.freeze(o)", "Object.seal(o)", "Object.isFrozen(o)", "Object.is(a, b)", "Object.hasOwn(o, k)", "Object.groupBy(a, f)"],
      passes: ["Object.assign(o, p)", "o.hasOwnProperty(k)", "Object.create(p)", "Object.defineProperty(o, k, d)"],
    },
    {
      feature: "absent-method",
      found: ["Uint8Array.from(a)", "Uint8Array.of(1)", "Uint8Array.BYTES_PER_ELEMENT", "new Uint8Array(4).every(f)", "view.getBigInt64(0)"],
      passes: ["new Uint8Array(a)", "new Uint8Array(4).map(f)", "view.getUint32(0, true)", "xs.every(f)"],
    },
    {
      feature: "typed-array-property",
      found: [
        "const u = new Uint8Array(4); u.at(0)",
        "const u = new Uint8Array(4); if (u.foo) f()",
        "new Uint8Array(4).concat(b)",
        "new Int32Array(4).BYTES_PER_ELEMENT",
        "a = new Uint8Array(4).lastIndexOf(1)",
        "const u = new Uint8Array(8).subarray(1).entries()",
      ],
      passes: [
        "const u = new Uint8Array(4); typeof u.foo",
        "const u = new Uint8Array(4); u.length + u.byteLength",
        "const u = new Uint8Array(4); u.set(a, 1); u.fill(0); u.sort()",
      ],
    },
    {
      feature: "typed-array-slice",
      found: [
        "const u = new Uint8Array(4); u.slice(1)",
        "new Uint8Array(4).slice()",
        "const v = new Uint8Array(4).subarray(1); v.slice(0)",
        'E.toUint8Array("a").slice(1)',
      ],
      passes: [
        "const u = new Uint8Array(4); u.subarray(1)",
        "[1].slice(1)",
        "data.slice(1)",
        '"abc".slice(1)',
        "let u = new Uint8Array(4); u = [1]; u.slice(1)",
      ],
    },
    {
      feature: "typed-array-from-string",
      found: ['new Uint8Array("AB")', 'const s = "a"; new Uint8Array(s)', "new Uint8Array(`a`)"],
      passes: ['E.toUint8Array("AB")', "new Uint8Array([1])", "new Uint8Array(4)", "new Array('a')"],
    },
    {
      feature: "boolean-comparator",
      found: ["a.sort(function (x, y) { return x > y })", "a.sort((x, y) => x < y)", "function by(x, y) { return x > y } a.sort(by)"],
      passes: ["a.sort(function (x, y) { return x - y })", "a.sort((x, y) => x < y ? -1 : 1)", "a.sort()", "a.filter(x => x > 1)"],
    },
  ],

  "regular expressions, JSON, dates, promises": [
    {
      feature: "regexp",
      found: [
        "/a{2}/",
        "/a{1,}/",
        "/a+?/",
        "/a*?/",
        "/a??/",
        "/\\bfoo/",
        "/foo\\B/",
        "/(?:a)b/",
        "/a(?=b)/",
        "/a(?!b)/",
        "/(?<=a)b/",
        "/(?<n>a)/",
        "/(a)\\1/",
        "/a/m",
        "/a/s",
        "/a/u",
        "/a/y",
        'new RegExp("a{2}")',
        'new RegExp("a", "m")',
        "/\\u0041/",
        "/(a)?b/",
        "/(ab)+/",
        "/^a|b/",
      ],
      passes: [
        "/[a-z]+\\d*\\s?/gi",
        "/\\{2\\}/",
        "/[{2}]/",
        "/a\\+\\?/",
        "/[\\b]/",
        "/^(a|b)$/",
        "/\\(\\?/",
        "/a|b/",
        'new RegExp("a", "g")',
        "new RegExp(x)",
        "/\\//",
        "/^(\\d+),(\\d+)$/",
        "/[a\\]?]+/",
      ],
    },
    {
      feature: "stringify-replacer",
      found: ["JSON.stringify(a, function (k, v) { return v })", 'JSON.stringify(a, ["b"])'],
      passes: ["JSON.stringify(a)", "JSON.stringify(a, null, 2)", "JSON.stringify(a, undefined, 2)"],
    },
    {
      feature: "date-text",
      found: ['new Date("2020-01-01")', 'new Date("2020-01-01 10:20")', 'Date.parse("2020-01-01")', 'new Date("yesterday")'],
      passes: ['new Date("2020-01-01T00:00:00Z")', "new Date(0)", "new Date(text)", "new Date(2020, 0, 1)"],
    },
    {
      feature: "absent-method",
      found: ["Date.UTC(2020, 0)", "d.setUTCHours(1)", "d.getUTCDay()", "d.toLocaleString()", "new Date().toDateString()"],
      passes: ["Date.now()", "new Date().toISOString()", "d.getHours()", "d.toLocalISOString()"],
    },
    {
      feature: "absent-method",
      found: ["Promise.race(a)", "Promise.any(a)", "Promise.allSettled(a)", "p.finally(f)"],
      passes: ["Promise.all(a)", "Promise.resolve(1).then(f)", "p.catch(f)", "try { f() } finally { g() }"],
    },
  ],

  "globals and modules": [
    {
      feature: "absent-global",
      found: [
        ..."Map Set WeakMap WeakSet WeakRef Symbol Proxy Reflect BigInt Buffer TextEncoder TextDecoder URL structuredClone queueMicrotask setImmediate performance RangeError EvalError URIError Intl crypto window document"
          .split(" ")
          .map((name) => `f(${name})`),
        "new Map()",
        "setDeepSleep(1)",
        "global.Map",
        "throw new RangeError('a')",
      ],
      passes: [
        "typeof Map",
        "var Map = {}; f(Map)",
        "function f(Set) { return Set }",
        "o.Map",
        "var o = {Set: 1}",
        "new Error('a')",
        "new TypeError('a')",
        "print(E, NRF, process, console, Uint24Array, global)",
        "global.Buffer = 1",
      ],
    },
    {
      feature: "module",
      found: ['require("path")', 'require("node:fs")', 'require("./other")'],
      passes: ['require("Storage")', 'require("heatshrink")', 'require("crypto")', "require(name)"],
    },
  ],
};

for (const [section, facts] of Object.entries(FACTS)) {
  describe(section, () => {
    for (const { feature, found, passes } of facts) {
      test.each(found)(`${feature} is found in: %s`, (code) => {
        expect(checkDialect(code).map((finding) => finding.feature)).toContain(feature);
      });
      test.each(passes)(`${feature} is not found in: %s`, (code) => {
        expect(checkDialect(code).map((finding) => finding.feature)).not.toContain(feature);
      });
    }
  });
}

test("what the interpreter supports passes", () => {
  const code = `
    var a = 0b11 + 0o17 + 0xFF + 1_000, t = \`\${a}\n\`;
    let o = {a, f(x) { return x }, get g() { return 1 }, set g(v) {}, "b c": 1, if: 2,};
    const add = (x, y) => x + y, one = x => { return x };
    class A { constructor(n) { this.n = n } m() { return this.n } get p() { return 1 } static s() { return 2 } static z = 3; k = 1 }
    class B extends A { constructor() { super(1); this.y = 2 } m() { return super.m() + 1 } }
    for (const x of [1, 2]) print(x);
    for (var k in o) print(k);
    do a--; while (a > 0);
    switch (a) { case 1: case 2: print(1); break; default: print(2) }
    try { throw new Error("q") } catch { print(1) } finally { print(2) }
    print(null ?? 1, void 0, typeof zzz, a ? 1 : 2, (1, 2), "b" in o, delete o.a, new B().m(), A.s(), eval("1"), new Function("x", "return x")(1));
    Promise.all([Promise.resolve(1)]).then(function (r) { print(r, add(1, 2), one(3), t) }).catch(print);
    setInterval(function () { E.sum(new Uint8Array([1, 2]).map(function (v) { return v * 2 })) }, 1000);
    if (!a) { const view = new DataView(new ArrayBuffer(8)); print(view.getUint16(0, true)) } else print(a >>> 0);
  `;
  expect(checkDialect(code)).toEqual([]);
});

test("findings tell line and column, in the order of the code", () => {
  expect(checkDialect("var a = 1;\n  a ** 2;\nnew Map()").map(({ line, column, feature }) => [line, column, feature])).toEqual([
    [2, 2, "exponent"],
    [3, 4, "absent-global"],
  ]);
});

test("a board with Unicode may have wide characters", () => {
  expect(checkDialect('E.asUTF8("\\u20ac")', { unicode: true })).toEqual([]);
});

test("the gate survives any text", () => {
  for (const code of ["", "\0", "}", "/*", "é", "\u2028", "'", "`${", "class", "a\n\n\n)"]) expect(Array.isArray(checkDialect(code))).toBe(true);
});
