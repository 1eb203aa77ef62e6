import { expect, test } from "vitest";
import { encoderNameOf } from "./encoder-name.ts";

test.each([
  ["Mozilla/5.0 (OBS-Studio/31.0.1; Mac OS X; en-US)", "OBS 31.0.1"],
  [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
    "Chrome 156",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0",
    "Edge 130",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140"],
  ["Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "Safari 18"],
  ["Lavf/62.19.101", "Lavf/62.19.101"],
  [`x\u0007${"y".repeat(200)}`, `x${"y".repeat(79)}`],
  ["", undefined],
  [undefined, undefined],
])("ING3: %s is %s", (userAgent, name) => {
  expect(encoderNameOf(userAgent)).toBe(name);
});
