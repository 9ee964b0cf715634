// What the interpreter's library has, as it answered itself (release 2v29, the build for Puck.js). A name that stands in no list here is absent.

function words(text: string): Set<string> {
  return new Set(text.trim().split(/\s+/));
}

/** Globals that JavaScript programs expect and the interpreter lacks. */
export const ABSENT_GLOBALS = words(`
  AbortController AbortSignal AggregateError Atomics BigInt BigInt64Array BigUint64Array Blob BroadcastChannel Buffer Crypto CryptoKey CustomEvent
  DOMException DisposableStack EvalError Event EventTarget File FileReader FinalizationRegistry Float16Array FormData Headers Intl Iterator Map
  MessageChannel MessageEvent MessagePort Performance Proxy RangeError ReadableStream Reflect Request Response Set SharedArrayBuffer SubtleCrypto
  SuppressedError Symbol Temporal TextDecoder TextEncoder TransformStream URIError URL URLSearchParams WeakMap WeakRef WeakSet WebAssembly WebSocket
  Worker WritableStream XMLHttpRequest __dirname __filename alert cancelAnimationFrame clearImmediate confirm crypto decodeURI document encodeURI
  escape fetch localStorage location navigator performance prompt queueMicrotask requestAnimationFrame self sessionStorage setDeepSleep setImmediate
  structuredClone unescape window`);

/** What to write instead, where there is something better than leaving it out. */
export const INSTEAD: { [name: string]: string } = {
  BigInt: "two 32-bit halves",
  Buffer: "Uint8Array",
  Map: "an object, or parallel typed arrays",
  RangeError: "Error",
  Set: "an object, or a typed array",
  TextDecoder: "E.toString",
  TextEncoder: "E.toUint8Array",
  crypto: 'require("crypto")',
  decodeURI: "decodeURIComponent",
  encodeURI: "encodeURIComponent",
  performance: "getTime()",
  queueMicrotask: "Promise.resolve().then",
  setDeepSleep: "nothing: the chip sleeps whenever it is idle",
  setImmediate: "setTimeout(callback, 0)",
  structuredClone: "a copy by hand",
  at: "an index",
  finally: "the same callback in then and catch",
  flat: "concat",
  freeze: "nothing",
  from: "a loop, or map",
  imul: "shifts",
  isInteger: "Math.floor(x) === x",
  isNaN: "the global isNaN",
  isFinite: "the global isFinite",
  parseFloat: "the global parseFloat",
  parseInt: "the global parseInt",
  localeCompare: "<",
  lastIndexOf: "a loop",
  log10: "Math.log(x) / Math.LN10",
  log2: "Math.log(x) / Math.LN2",
  reduceRight: "a loop",
  search: "indexOf",
  trunc: "x | 0",
  BYTES_PER_ELEMENT: "the number",
  UTC: "seconds since 1970 from the hub",
};

/** Properties of global objects, beside `length` and `prototype`. */
const NO_STATICS = new Set<string>();
export const STATIC_MEMBERS: { [receiver: string]: Set<string> } = {
  Array: words("isArray"),
  ArrayBuffer: NO_STATICS,
  Boolean: NO_STATICS,
  DataView: NO_STATICS,
  Date: words("now parse"),
  Error: NO_STATICS,
  Function: NO_STATICS,
  JSON: words("parse stringify"),
  Math: words(`E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil clip cos exp floor log max min pow randInt random round sign sin
    sqrt tan wrap`),
  Number: words("MAX_VALUE MIN_VALUE NEGATIVE_INFINITY NaN POSITIVE_INFINITY"),
  Object: words(`assign create defineProperties defineProperty entries fromEntries getOwnPropertyDescriptor getOwnPropertyDescriptors
    getOwnPropertyNames getPrototypeOf keys setPrototypeOf values`),
  Promise: words("all reject resolve"),
  RegExp: NO_STATICS,
  String: words("fromCharCode"),
};
export const TYPED_ARRAYS = words(
  "Float32Array Float64Array Int16Array Int32Array Int8Array Uint16Array Uint24Array Uint32Array Uint8Array Uint8ClampedArray",
);
for (const name of TYPED_ARRAYS) STATIC_MEMBERS[name] = NO_STATICS;

/** Constructors that can't be extended: the subclass lacks the methods. */
export const BUILT_IN_CLASSES = new Set([...Object.keys(STATIC_MEMBERS), "ReferenceError", "SyntaxError", "TypeError", "InternalError"]);

const OF_EVERYTHING = "constructor emit hasOwnProperty on removeAllListeners removeListener toString valueOf __proto__";
/** Methods and properties of values whose kind is known. */
export const INSTANCE_MEMBERS = {
  array: words(`concat every fill filter find findIndex forEach includes indexOf join length map pop push reduce reverse shift slice some sort splice
    unshift ${OF_EVERYTHING}`),
  "typed array":
    words(`buffer byteLength byteOffset every fill filter find findIndex forEach includes indexOf join length map reduce reverse set slice some
    sort subarray ${OF_EVERYTHING}`),
  string:
    words(`charAt charCodeAt concat endsWith includes indexOf lastIndexOf length match padEnd padStart removeAccents repeat replace replaceAll slice
    split startsWith substr substring toLowerCase toUpperCase trim ${OF_EVERYTHING}`),
  number: words(`toFixed ${OF_EVERYTHING}`),
  date: words(`getDate getDay getFullYear getHours getIsDST getMilliseconds getMinutes getMonth getSeconds getTime getTimezoneOffset setDate setFullYear
    setHours setMilliseconds setMinutes setMonth setSeconds setTime toISOString toJSON toLocalISOString toUTCString ${OF_EVERYTHING}`),
  "regular expression": words(`exec flags lastIndex source test ${OF_EVERYTHING}`),
  promise: words(`catch then ${OF_EVERYTHING}`),
  function: words(`apply bind call length prototype replaceWith ${OF_EVERYTHING}`),
};
export type Kind = keyof typeof INSTANCE_MEMBERS;

/** Methods that nothing in the interpreter has: unless the program defines one of that name, a call can only fail. */
export const ABSENT_METHODS = words(`
  allSettled at codePointAt copyWithin findLast findLastIndex finally flat flatMap getBigInt64 getBigUint64 getUTCDate getUTCDay getUTCFullYear
  getUTCHours getUTCMilliseconds getUTCMinutes getUTCMonth getUTCSeconds getYear isPrototypeOf isWellFormed localeCompare matchAll normalize
  propertyIsEnumerable reduceRight search setBigInt64 setBigUint64 setUTCDate setUTCFullYear setUTCHours setUTCMilliseconds setUTCMinutes setUTCMonth
  setUTCSeconds setYear toDateString toExponential toGMTString toLocaleDateString toLocaleLowerCase toLocaleString toLocaleTimeString
  toLocaleUpperCase toPrecision toReversed toSorted toSpliced toTimeString toWellFormed trimEnd trimLeft trimRight trimStart`);

/** Methods that call their callback before they return. */
export const SYNCHRONOUS = words("every filter find findIndex forEach map mapInPlace reduce replace replaceAll some sort");

/** Modules that some build of the interpreter has; whatever else is required must be a file in its Storage. */
export const MODULES = words(
  "CC3000 ESP8266 Flash NetworkJS Storage TelnetServer WIZnet Wifi crypto dgram fs graphical_menu heatshrink http neopixel net tensorflow timer tls tv",
);

/** Words that its lexer takes for keywords. */
export const KEYWORDS = words(`
  break case catch class const continue debugger default delete do else extends false finally for function if in instanceof let new null of return
  static super switch this throw true try typeof undefined var void while`);
