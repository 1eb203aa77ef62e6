import { type Browser, chromium } from "playwright-core";

/** Debian's Chromium without a screen. Sound plays without a gesture, as for a viewer who has been here before. */
export function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.KLIEG_TEST_CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--autoplay-policy=no-user-gesture-required",
    ],
  });
}
