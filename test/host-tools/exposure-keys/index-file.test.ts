import fc from "fast-check";
import { expect, test } from "vitest";
import { filesToFetch } from "../../../host-tools/exposure-keys/index-file.ts";
import { loadVectors } from "../../support/vectors.ts";

test.each(loadVectors("gaen_export.json").index)("after $last, the files still to fetch (GAEN-23)", (row) => {
  expect(filesToFetch(row.text, row.last ?? undefined)).toEqual(row.expect);
});

test("a name that leads elsewhere is passed over (GAEN-23)", () => {
  const index = [
    "  a.zip \r",
    "",
    "/etc/passwd",
    "\\\\host\\share",
    "../b.zip",
    "exp/../../b.zip",
    "https://example/c.zip",
    "file:c.zip",
    "exp/..d.zip",
  ];
  expect(filesToFetch(index.join("\n"), undefined)).toEqual(["a.zip", "exp/..d.zip"]);
});

test("when the last name is gone from the index, what was never seen is fetched (GAEN-23)", () => {
  expect(filesToFetch("b\nc\nd", "a", new Set(["a", "b"]))).toEqual(["c", "d"]);
});

test("nothing that is fetched was done before, whatever the index (GAEN-23)", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("a", "b", "c", "d")), fc.option(fc.constantFrom("a", "b", "x"), { nil: undefined }), (names, last) => {
      const fetched = filesToFetch(names.join("\n"), last);
      if (last !== undefined) expect(fetched).not.toContain(last);
    }),
  );
});
