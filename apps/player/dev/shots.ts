/**
 * Takes pictures of every state of the player against dev/live-origin.ts.
 *
 *   node apps/player/dev/shots.ts http://127.0.0.1:8089 /tmp/shots [name…]
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { openBrowser } from "./browser.ts";

const [origin = "http://127.0.0.1:8089", directory = "/tmp/klieg-shots", ...only] = process.argv.slice(2);

const SIZES = {
  wide: { width: 1440, height: 900 },
  laptop: { width: 1280, height: 800 },
  phone: { width: 390, height: 844 },
};

interface Shot {
  name: string;
  path: string;
  sizes?: (keyof typeof SIZES)[];
  theme?: "light";
  before?: () => Promise<void>;
  act?: (page: Page) => Promise<void>;
}

const post = (path: string, body: object) =>
  fetch(origin + path, { method: "POST", body: JSON.stringify(body) }).then((response) => response.text());
const channel = (name: string, state: string, title?: string) => post("/dev/channel", { name, state, title });
const playing = (page: Page) => page.waitForSelector('.player[data-state="playing"]', { timeout: 20_000 });
const state = (page: Page, name: string) => page.waitForSelector(`.player[data-state="${name}"]`, { timeout: 30_000 });
const move = (page: Page) => page.mouse.move(300, 200 + Math.random() * 20);

const TITLE = "Thursday build: a lamp that follows you home";

const shots: Shot[] = [
  {
    name: "home-empty",
    path: "/",
    before: async () => void (await post("/dev/reset", {})),
    act: async (page) => void (await page.waitForSelector(".dark-stage")),
  },
  {
    name: "home-empty-light",
    path: "/",
    theme: "light",
    act: async (page) => void (await page.waitForSelector(".dark-stage")),
  },
  {
    name: "offline",
    path: "/watch/lamp-lab",
    before: async () => void (await channel("lamp-lab", "offline", TITLE)),
    act: async (page) => void (await state(page, "offline")),
  },
  { name: "missing", path: "/watch/nobody", act: async (page) => void (await state(page, "missing")) },
  {
    name: "starting",
    path: "/watch/lamp-lab",
    before: async () => void (await channel("lamp-lab", "starting")),
    act: async (page) => void (await state(page, "starting")),
  },
  {
    name: "home-live",
    path: "/",
    before: async () => {
      await channel("lamp-lab", "live");
      await channel("traffic-cam", "live", "Junction 14, all day");
      await channel("quiet-desk", "interrupted", "Bench talk");
      await channel("demo", "offline", "Demo");
      await channel("north-studio", "offline", "North Studio");
    },
    act: async (page) => {
      await page.waitForFunction(() => document.querySelectorAll('.still[data-drawn="true"]').length >= 2);
      await page.waitForTimeout(600);
    },
  },
  {
    name: "home-live-light",
    path: "/",
    theme: "light",
    act: async (page) => {
      await page.waitForFunction(() => document.querySelectorAll('.still[data-drawn="true"]').length >= 2);
      await page.waitForTimeout(600);
    },
  },
  {
    name: "watch",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await page.waitForTimeout(2500);
      await move(page);
      await page.waitForTimeout(400);
    },
  },
  {
    name: "watch-light",
    path: "/watch/lamp-lab",
    theme: "light",
    act: async (page) => {
      await playing(page);
      await move(page);
      await page.waitForTimeout(400);
    },
  },
  {
    name: "quality",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await page.keyboard.press("q");
      await page.waitForTimeout(400);
    },
  },
  {
    name: "statistics",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await page.keyboard.press("i");
      await page.waitForTimeout(6000);
      await move(page);
    },
  },
  {
    name: "behind",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await page.waitForTimeout(500);
      for (let press = 0; press < 3; press++) await page.keyboard.press("ArrowLeft");
      await page.waitForTimeout(1200);
      await move(page);
      await page.hover(".volume .control");
      await page.waitForTimeout(800);
    },
  },
  {
    name: "help",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await page.keyboard.press("?");
      await page.waitForTimeout(400);
    },
  },
  {
    name: "share",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await page.click("text=Share");
      await page.waitForTimeout(400);
    },
  },
  {
    name: "embed",
    path: "/embed/lamp-lab?autoplay=1&muted=1",
    act: async (page) => {
      await playing(page);
      await move(page);
      await page.waitForTimeout(400);
    },
  },
  { name: "embed-ready", path: "/embed/lamp-lab", act: async (page) => void (await state(page, "ready")) },
  {
    name: "interrupted",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await channel("lamp-lab", "interrupted");
      await post("/dev/break", { status: 503 });
      await state(page, "interrupted");
      await page.waitForTimeout(500);
      await post("/dev/break", { status: 0 });
      await channel("lamp-lab", "live");
    },
  },
  {
    name: "retrying",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await post("/dev/break", { status: 503 });
      await page.reload();
      await state(page, "retrying");
      await page.waitForTimeout(300);
    },
  },
  {
    name: "forbidden",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await post("/dev/break", { status: 403 });
      await page.reload();
      await state(page, "failed");
      await post("/dev/break", { status: 0 });
    },
  },
  {
    name: "ended",
    path: "/watch/lamp-lab",
    act: async (page) => {
      await playing(page);
      await channel("lamp-lab", "ended");
      await post("/dev/break", { status: 404 });
      await state(page, "ended");
      await post("/dev/break", { status: 0 });
      await channel("lamp-lab", "live");
    },
  },
];

async function take(browser: Browser, shot: Shot, size: keyof typeof SIZES): Promise<void> {
  const phone = size === "phone";
  const context = await browser.newContext({
    viewport: SIZES[size],
    deviceScaleFactor: phone ? 2 : 1,
    colorScheme: shot.theme ?? "dark",
    hasTouch: phone,
    isMobile: phone,
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => console.error(`${shot.name}/${size}: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("Failed to load")) {
      console.error(`${shot.name}/${size}: ${message.text()}`);
    }
  });
  try {
    await page.goto(origin + shot.path);
    await shot.act?.(page);
  } catch (error) {
    console.error(`${shot.name}/${size}: ${error}`);
  }
  await page.screenshot({ path: join(directory, `${shot.name}-${size}.png`) });
  await context.close();
}

await mkdir(directory, { recursive: true });
const browser = await openBrowser();
for (const shot of shots) {
  if (only.length > 0 && !only.includes(shot.name)) continue;
  await shot.before?.();
  for (const size of shot.sizes ?? (["wide", "phone"] as const)) await take(browser, shot, size);
}
await browser.close();
