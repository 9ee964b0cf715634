/** Names of V8's global object that the interpreter has too; everything else goes. Source: Espruino 2v29, tables of src/jswrap_*.c. */
export const GLOBALS = new Set(
  [
    "Array ArrayBuffer Boolean DataView Date Error Function Infinity JSON Math NaN Number Object ReferenceError RegExp String SyntaxError TypeError",
    "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array",
    "decodeURIComponent encodeURIComponent eval global globalThis isFinite isNaN parseFloat parseInt undefined",
  ].flatMap((names) => names.split(" ")),
);

/** Methods that stay, by where they live. Source: the interpreter's own symbol tables, compared with what it answers. */
export const MEMBERS: { [place: string]: string } = {
  Array: "isArray prototype length",
  "Array.prototype":
    "constructor length concat every fill filter find findIndex forEach includes indexOf join map pop push reduce reverse shift slice some sort splice toString unshift",
  ArrayBuffer: "prototype length",
  "ArrayBuffer.prototype": "constructor byteLength",
  "Boolean.prototype": "constructor toString valueOf",
  Date: "now parse prototype length",
  "Date.prototype":
    "constructor getDate getDay getFullYear getHours getMilliseconds getMinutes getMonth getSeconds getTime getTimezoneOffset setDate setFullYear setHours setMilliseconds setMinutes setMonth setSeconds setTime toISOString toJSON toString toUTCString valueOf",
  // Without the limit V8 keeps no stack, and the console could not tell where an error happened.
  Error: "prototype length stackTraceLimit",
  "Error.prototype": "constructor message toString",
  "Function.prototype": "constructor apply bind call toString length",
  JSON: "parse stringify",
  Math: "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs acos asin atan atan2 ceil cos exp floor log max min pow random round sign sin sqrt tan",
  Number: "MAX_VALUE MIN_VALUE NaN prototype length",
  "Number.prototype": "constructor toFixed toString valueOf",
  Object:
    "assign create defineProperties defineProperty entries fromEntries getOwnPropertyDescriptor getOwnPropertyDescriptors getOwnPropertyNames getPrototypeOf keys setPrototypeOf values prototype length",
  "Object.prototype": "constructor hasOwnProperty toString valueOf __proto__",
  "RegExp.prototype": "constructor exec test toString flags source global ignoreCase lastIndex",
  RegExp: "prototype length",
  String: "fromCharCode prototype length",
  "String.prototype":
    "constructor charAt charCodeAt concat endsWith includes indexOf lastIndexOf length match padEnd padStart repeat replace replaceAll slice split startsWith substr substring toLowerCase toString toUpperCase trim valueOf",
  "TypedArray.prototype":
    "constructor buffer byteLength byteOffset length every fill filter find findIndex forEach includes indexOf join map reduce reverse set slice some sort subarray toString",
  "DataView.prototype":
    "constructor buffer byteLength byteOffset getFloat32 getFloat64 getInt8 getInt16 getInt32 getUint8 getUint16 getUint32 setFloat32 setFloat64 setInt8 setInt16 setInt32 setUint8 setUint16 setUint32",
};

export const TYPED_ARRAYS = "Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array".split(
  " ",
);
