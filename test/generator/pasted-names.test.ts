import { expect, test } from "vitest";
import { checkPastedNames } from "../../host-tools/generator/pasted-names.ts";

const PASTED = "let count=0;function more(by){let step=by;count+=step}";

test("a function that is pasted where it is called must not meet a name of its module in its caller", () => {
  expect(() => checkPastedNames(`${PASTED}function caller(){let count=5;/*@__INLINE__*/more(count)}caller()`)).toThrow(/^more is pasted .* "count"/);
  expect(() => checkPastedNames(`${PASTED}function outer(count){return function(){/*@__INLINE__*/ more(1)}}outer(2)()`)).toThrow('"count"');
});

test.each([
  ["other names", "function caller(){let other=5;/*@__INLINE__*/more(other)}caller()"],
  ["names that the function has of its own", "function caller(by){let step=5;/*@__INLINE__*/more(by+step)}caller(1)"],
  ["a call that is none of those", "function caller(){let count=5;more(count)}caller()"],
  ["the same variable", "/*@__INLINE__*/more(count)"],
])("%s are no harm", (_, code) => {
  expect(() => checkPastedNames(PASTED + code)).not.toThrow();
});
