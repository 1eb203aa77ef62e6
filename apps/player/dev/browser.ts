import { type Browser, chromium } from "playwright-core";

/** Chromium as the project's browser tests start it. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.KLIEG_CHROMIUM ?? "/usr/bin/chromium",
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
