import { type Browser, chromium } from "playwright-core";

/** Where Debian's Chromium is, or the one to test with instead. */
export const CHROMIUM = process.env.KLIEG_TEST_CHROMIUM ?? "/usr/bin/chromium";

export interface ChromiumOptions {
  /** What starts it: {@link CHROMIUM} in a network namespace, say. */
  readonly program?: string;
  readonly args?: readonly string[];
}

/** Debian's Chromium without a screen. Sound plays without a gesture, as for a viewer who has been here before. */
export function openChromium(options: ChromiumOptions = {}): Promise<Browser> {
  return chromium.launch({
    executablePath: options.program ?? CHROMIUM,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--autoplay-policy=no-user-gesture-required",
      ...(options.args ?? []),
    ],
  });
}
