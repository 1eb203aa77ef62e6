import { type BrowserContext, chromium, type Route } from "playwright-core";
import { CHROMIUM } from "../chromium.ts";
import { toApp, toChromium } from "./address.ts";
import { note } from "./journal.ts";
import { type ProtocolHandler, serveProtocols } from "./protocol-server.ts";
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
  readonly protocol: (scheme: string) => ProtocolHandler | undefined;
  readonly permission: (permission: string, address: string) => boolean;
}

/** Chromium with a profile of its own, where nothing leads out of the app. Opened when the first window asks. */
export function openContext(options: ContextOptions): {
  open(): Promise<BrowserContext>;
  close(): Promise<void>;
} {
  let opening: Promise<BrowserContext> | undefined;
  let server: AsyncDisposable | undefined;
  const open = async () => {
    server = await serveProtocols(options.protocol);
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
    // A page that the app's page opened: the app had its say, and Electron would not have made it.
    context.on("page", (page) => void page.opener().then((opener) => (opener === null ? undefined : page.close())));
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
      await server?.[Symbol.asyncDispose]();
    },
  };
}

async function answer(route: Route, { windows }: ContextOptions): Promise<void> {
  const request = route.request();
  const address = toApp(request.url());
  const opened = pageOf(route);
  if (opened === undefined && !request.isNavigationRequest()) {
    // A worker's: its page is the app's.
    await (isAppAddress(address) ? route.continue() : route.abort("blockedbyclient"));
    return;
  }
  const owner = windows().find(({ page }) => page === opened);
  if (owner === undefined) {
    // A page that nobody loaded: the app's page opened it, and the app has a say.
    const opener = windows()[0];
    const verdict = opener?.windowOpenHandler({ url: address });
    note("window.open", { url: address, action: verdict?.action });
    await route.abort("aborted");
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
  if (isAppAddress(address)) await route.continue();
  else {
    note("left to the network", address);
    await route.abort("blockedbyclient");
  }
}

function isAppAddress(address: string): boolean {
  return address.startsWith("klieg://");
}

/** @returns undefined for a request of a worker that outlived its page, and of a page that is not there yet. */
function pageOf(route: Route) {
  try {
    return route.request().frame().page();
  } catch {
    return undefined;
  }
}
