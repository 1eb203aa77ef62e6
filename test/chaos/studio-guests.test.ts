import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { RoomTab } from "../harness/room-tab.ts";
import { StudioBox, TONE } from "../harness/studio-box.ts";
import { MEDIA_ARGS } from "../harness/studio-media-tab.ts";
import { CAMERA_COLOUR, twoScenes } from "../harness/two-scene-show.ts";
import { until } from "../harness/until.ts";

requirePackages("chromium");

const BEN = { hue: 120, tone: 440 } as const;
/** What the screen that he shares sounds like, Hz; as loud as he. */
const SCREEN_TONE = 1500;
/** dBFS: he alone is at −12, he and his screen at −6. */
const TWICE_DB = -8;

/** Of the page that makes up its own screen. */
interface Screens {
  fakeScreen(hertz: number): void;
}

/** In the page, before anything of its own: keeps the sounds that it plays by elements outside of the document. */
const SOUNDS = `(() => {
  const Real = globalThis.Audio;
  globalThis.sounds = [];
  globalThis.Audio = class extends Real {
    constructor(...input) { super(...input); globalThis.sounds.push(this); }
  };
})()`;

/** How many tracks the page plays to its operator beside the mixer. */
function played(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      (globalThis as unknown as { sounds: HTMLAudioElement[] }).sounds.filter(
        ({ muted, paused, srcObject, currentTime }) => !muted && !paused && srcObject !== null && currentTime > 0,
      ).length,
  );
}

/** dBFS on a strip's meter. @param strip `program`, or a strip's words. */
async function peakOf(page: Page, strip: string): Promise<number> {
  const meter =
    strip === "program" ? page.locator('[data-peak="program"]') : page.locator(".strip", { hasText: strip });
  const words = strip === "program" ? meter : meter.locator("[data-peak]");
  return Number((await words.textContent())?.replace("−", "-"));
}

describe("STU7: guests on a bad day", () => {
  it("the room's server is killed and started anew: who was on stage is there again, and hears the show without themselves", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "klieg-guests-"));
    const browser = await openChromium({ args: MEDIA_ARGS });
    try {
      const first = await BackendProcess.start({ dataDir });
      const ports = { KLIEG_HTTP_PORT: String(first.ports.http) };
      await using box = await StudioBox.start({ show: twoScenes(first.http, "srt"), keys: { klieg: first.key } });
      const page = await box.open(browser, CAMERA_COLOUR);
      await page.addInitScript(SOUNDS);
      await page.reload();
      await page.getByRole("tab", { name: "Guests" }).click();
      await page.getByRole("button", { name: "Open the room" }).click();
      const link = await page.getByRole("textbox", { name: "Invite link" }).inputValue();
      await using ben = await RoomTab.open(browser, { link, media: BEN });
      await ben.join("Ben");
      const row = page.getByRole("list", { name: "Guests in the room" }).getByRole("listitem");

      // Backstage the host alone hears him, and he hears the show: its loudest tone is the microphone's, and never his own.
      await until(async () => (await played(page)) === 1, {
        what: "the guest, to the host",
        diagnose: () => ben.story(),
      });
      expect(await peakOf(page, "program")).toBeCloseTo(TONE.peakDb, 0);
      const hearsTheShow = () =>
        until(
          async () => {
            const [tone = 0, ...others] = await ben.hears();
            return others.length === 0 && Math.abs(tone - TONE.hertz) < 12;
          },
          { what: "the show, without himself", diagnose: () => ben.story() },
        );
      await hearsTheShow();

      await row.getByRole("button", { name: "Put Ben on stage" }).click();
      const loud = () =>
        until(async () => (await peakOf(page, "Guest 1")) > TONE.peakDb, { what: "his tone on the meter" });
      await loud();
      // A screen that he shares is shown when the host says so, and then its sound is heard beside his voice: twice as loud.
      await ben.page.evaluate((hertz) => (globalThis as unknown as Screens).fakeScreen(hertz), SCREEN_TONE);
      await ben.page.getByRole("button", { name: "Share screen" }).click();
      await row.getByRole("button", { name: "More about Ben" }).click();
      await page.getByText("Show the shared screen").click();
      const twice = () => until(async () => (await peakOf(page, "Guest 1")) > TWICE_DB, { what: "both of his tones" });
      await twice();
      // The mixer brings him to the host now.
      await until(async () => (await played(page)) === 0, { what: "the mixer's sound alone" });

      await first.stop("SIGKILL");
      await page.getByText("The connection to the room is lost.", { exact: false }).waitFor();
      await until(async () => !((await peakOf(page, "Guest 1")) > -40), { what: "silence on the meter" });
      await using _second = await BackendProcess.start({ dataDir, env: ports });
      await page.getByRole("button", { name: "Try now" }).click();
      await ben.stage("in", 30_000);
      await twice();
      await row.getByText("On stage").waitFor();
      await hearsTheShow();
      await page.context().close();
    } finally {
      await browser.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
