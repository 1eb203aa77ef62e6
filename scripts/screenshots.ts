import path from "node:path";
import type { Page } from "playwright-core";
import { BackendProcess } from "../test/harness/backend.ts";
import { Child } from "../test/harness/child.ts";
import { openChromium } from "../test/harness/chromium.ts";
import { RoomTab, TestRoom } from "../test/harness/room-tab.ts";
import { WatchedPage, type WatchedPageOptions } from "../test/harness/watched-page.ts";

// node scripts/screenshots.ts [NAME…]: takes the README's pictures of the player and a room, or those that are named, with a real
// backend and the demo's broadcast.

const ROOT = path.resolve(import.meta.dirname, "..");
const IMAGES = path.join(ROOT, "docs/images");
const DESKTOP = { viewport: { width: 1440, height: 900 }, colorScheme: "dark" } as const;
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
  colorScheme: "dark",
} as const;
/** Which pictures are taken. */
const wants = (name: string) => process.argv.length <= 2 || process.argv.includes(name, 2);
/** Seconds of broadcast before the first picture: a past to go back to. */
const PAST_S = 20;

await using backend = await BackendProcess.start({ env: { KLIEG_LADDER: "360p:800k" } });
await backend.admin("PATCH", "/v1/channels/demo", { title: "A lamp that follows you home" });
for (const [name, title] of [
  ["lamp-lab", "Lamp Lab"],
  ["late-shift", "The Late Shift"],
]) {
  await backend.admin("POST", "/v1/channels", { name, title });
}
await using _demo = new Child(process.execPath, [
  path.join(ROOT, "scripts/demo.ts"),
  ...["--url", `rtmp://127.0.0.1:${backend.ports.rtmp}/live`, "--key", backend.key],
]);
await backend.live();
const browser = await openChromium();
try {
  await take("player", { url: `${backend.http}/watch/demo`, ...DESKTOP }, async (watched) => {
    await watched.becomes("settled", ({ currentTime, latency }) => currentTime > PAST_S && latency < 1.5, 60_000);
    await watched.page.mouse.move(700, 300);
    await watched.page.locator('.player[data-controls="shown"]').waitFor();
  });
  await take("player-phone", { url: `${backend.http}/watch/demo`, ...PHONE }, async (watched) => {
    await watched.becomes("settled", ({ stage, latency }) => stage === "playing" && latency < 1.5, 60_000);
    await watched.page.locator('.player[data-controls="hidden"]').waitFor();
    await watched.page.touchscreen.tap(195, 160);
    await watched.page.locator('.player[data-controls="shown"]').waitFor();
  });
  await take("home", { url: `${backend.http}/`, ...DESKTOP }, async ({ page }) => {
    await page.getByRole("link", { name: /^Watch / }).waitFor();
    // The card's picture of the broadcast comes by itself.
    await page.locator('.still[data-drawn="true"]').waitFor();
  });
  if (wants("room")) await takeRoom();
} finally {
  await browser.close();
}

async function take(
  name: string,
  options: WatchedPageOptions,
  prepare: (watched: WatchedPage) => Promise<void>,
): Promise<void> {
  if (!wants(name)) return;
  await using watched = await WatchedPage.open(browser, options);
  await prepare(watched);
  await save(name, watched.page);
}

/** A room of four, as its host sees it. */
async function takeRoom(): Promise<void> {
  const room = await TestRoom.open(backend, "Thursday class: light", "demo");
  const speaker = await room.link("speaker");
  await using stack = new AsyncDisposableStack();
  const enter = async (name: string, link: string, hue: number) => {
    const tab = stack.use(
      await RoomTab.open(browser, { link, media: { hue, saturation: 24, tone: 220 + hue }, ...DESKTOP }),
    );
    await tab.join(name);
    return tab;
  };
  const host = await enter("Ada", room.hostLink, 35);
  await enter("Ben", speaker, 150);
  await enter("Cem", speaker, 215);
  await enter("Dee", speaker, 320);
  await host.sees(
    "Ada sees the three others",
    (tiles) => tiles.length === 4 && tiles.every(({ frames }) => frames > 5),
  );
  await host.page.mouse.move(0, 0);
  await save("room", host.page);
}

async function save(name: string, page: Page): Promise<void> {
  // Controls and stills fade in.
  await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().iterations === 1);
    await Promise.allSettled(ending.map(({ finished }) => finished));
  });
  const file = path.join(IMAGES, `${name}.png`);
  await page.screenshot({ path: file });
  process.stdout.write(`${path.relative(ROOT, file)}\n`);
}
