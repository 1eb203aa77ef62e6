import { type BrowserContext, chromium, type Route } from "playwright-core";
import { CHROMIUM } from "../chromium.ts";
import { toApp, toChromium } from "./address.ts";
import { note } from "./journal.ts";
import { PreventableEvent, type WebContents } from "./web-contents.ts";

/** Chromium's permissions, by Electron's names for them. */
const PERMISSIONS = [
  ["camera", "media"],
  ["microphone", "media"],
  ["geolocation", "geolocation"],
  ["notifications", "notifications"],
  ["midi", "midi"],
] as const;

export interface ContextOptions {
  readonly windows: () => readonly WebContents[];
  readonly protocol: (scheme: string) => ((request: Request) => Promise<Response>) | undefined;
  readonly permission: (permission: string, address: string) => boolean;
}

/** Chromium with a profile of its own, whose requests go to the app first. Opened when the first window asks. */
export function openContext(options: ContextOptions): {
  open(): Promise<BrowserContext>;
  close(): Promise<void>;
} {
  let opening: Promise<BrowserContext> | undefined;
  const open = async () => {
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        // Electron's own default.
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream",
      ],
    });
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const origin = toChromium("klieg://studio");
    const granted = PERMISSIONS.filter(([, name]) => options.permission(name, "klieg://studio/")).map(([name]) => name);
    await context.grantPermissions(granted, { origin });
    await context.route("**/*", (route) => answer(route, options));
    return context;
  };
  return {
    open: () => {
      opening ??= open();
      return opening;
    },
    close: async () => {
      await (await opening)?.browser()?.close();
    },
  };
}

async function answer(route: Route, { windows, protocol }: ContextOptions): Promise<void> {
  const request = route.request();
  const address = toApp(request.url());
  const owner = windows().find(({ page }) => page === pageOf(route));
  if (owner === undefined) {
    // A page that nobody loaded: the app's page opened it, and the app has a say.
    const opener = windows()[0];
    const verdict = opener?.windowOpenHandler({ url: address });
    note("window.open", { url: address, action: verdict?.action });
    await route.abort("aborted");
    await pageOf(route)?.close();
    return;
  }
  const page = owner.page;
  if (request.isNavigationRequest() && address !== toApp(page?.url() ?? "") && page?.url() !== "about:blank") {
    const isMainFrame = request.frame() === page?.mainFrame();
    const event = new PreventableEvent({ url: address, isMainFrame });
    owner.emit("will-frame-navigate", event);
    if (event.defaultPrevented) {
      note("navigation denied", address);
      await route.abort("aborted");
      return;
    }
  }
  const handler = protocol(new URL(address).protocol.slice(0, -1));
  if (handler === undefined) {
    note("left to the network", address);
    await route.abort("blockedbyclient");
    return;
  }
  const body = request.postDataBuffer();
  const response = await handler(
    new Request(address, {
      method: request.method(),
      headers: request.headers(),
      ...(body === null ? {} : { body: new Uint8Array(body) }),
    }),
  );
  await route.fulfill({
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: Buffer.from(await response.arrayBuffer()),
  });
}

/** @returns undefined for a request of a worker that outlived its page. */
function pageOf(route: Route) {
  try {
    return route.request().frame().page();
  } catch {
    return undefined;
  }
}
