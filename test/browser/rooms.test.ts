import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { openChromium } from "../harness/chromium.ts";
import { PageServer } from "../harness/page-server.ts";
import { RoomTab, type RoomTabMedia, type Seen, TestRoom } from "../harness/room-tab.ts";
import { until } from "../harness/until.ts";

const PHONE = { viewport: { width: 360, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
/** The window that is shared: another page of the same browser, captured by `getDisplayMedia` itself. */
const SLIDES = "Slides of the day";
const SLIDES_HUE = 300;

const ADA: RoomTabMedia = { hue: 20, tone: 400 };
const BEN: RoomTabMedia = { hue: 110, tone: 650, width: 960, height: 540 };
const CEM: RoomTabMedia = { hue: 200, tone: 900 };
const DEE: RoomTabMedia = { hue: 290, tone: 1150 };

/** Whether a picture is of this colour: it went through an encoder. */
const isHue = (tile: Seen | undefined, hue: number) =>
  tile?.hue != null && (tile.saturation ?? 0) > 0.2 && Math.abs(((tile.hue - hue + 540) % 360) - 180) < 14;
const person = (tiles: Seen[], name: string) => tiles.find((tile) => tile.kind === "person" && tile.name === name);
/** The analyser's resolution is 5.9 Hz. */
const areTones = (heard: number[], tones: number[]) =>
  heard.length === tones.length && tones.every((tone, index) => Math.abs((heard[index] ?? 0) - tone) < 12);

describe("RTC2: rooms in the browser", () => {
  let backend: BackendProcess;
  let browser: Browser;
  let site: PageServer;
  beforeAll(async () => {
    [backend, browser, site] = await Promise.all([
      BackendProcess.start({ env: { KLIEG_MAX_ROOM_PARTICIPANTS: "5" } }),
      openChromium({
        args: ["--use-fake-device-for-media-stream", `--auto-select-tab-capture-source-by-title=${SLIDES}`],
      }),
      PageServer.start(),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.[Symbol.asyncDispose]();
    await backend?.[Symbol.asyncDispose]();
  });

  const hears = (tab: RoomTab, what: string, tones: number[]) =>
    until(async () => areTones(await tab.hears(), tones), { what, diagnose: () => tab.story() });
  const healthy = async (...tabs: RoomTab[]) => {
    for (const tab of tabs) {
      expect(tab.complaints).toEqual([]);
      expect(await tab.violations()).toEqual([]);
    }
  };

  it("everybody sees and hears everybody; a host mutes; a screen is shared; who is killed is gone within 5 s", async () => {
    const room = await TestRoom.open(backend, "Thursday class: light", "demo");
    const speaker = await room.link("speaker");
    const open = (link: string, media: RoomTabMedia) => RoomTab.open(browser, { link, media });
    await using ada = await open(room.hostLink, ADA);
    await using ben = await open(speaker, BEN);
    await using cem = await open(speaker, CEM);
    await using dee = await open(speaker, DEE);
    const everybody = [
      { tab: ada, name: "Ada", media: ADA },
      { tab: ben, name: "Ben", media: BEN },
      { tab: cem, name: "Cem", media: CEM },
      { tab: dee, name: "Dee", media: DEE },
    ];
    await Promise.all(everybody.map(({ tab, name }) => tab.join(name)));

    // Frames of every colour, and every tone but one's own, with its level.
    for (const { tab, name } of everybody) {
      const others = everybody.filter((one) => one.name !== name);
      const all = (tiles: Seen[]) =>
        tiles.length === 4 &&
        others.every((one) => isHue(person(tiles, one.name), one.media.hue)) &&
        tiles.some((tile) => tile.self && tile.name === `${name} (you)`);
      const before = await tab.sees(`${name} sees the three others`, all);
      await tab.sees(`${name} sees them move`, (tiles) =>
        others.every((one) => (person(tiles, one.name)?.frames ?? 0) > (person(before, one.name)?.frames ?? 0) + 5),
      );
      await hears(
        tab,
        `${name} hears the three others`,
        others.map(({ media }) => media.tone),
      );
      await tab.sees(`${name} sees how loud they are`, (tiles) =>
        others.every((one) => (person(tiles, one.name)?.level ?? 0) > 0.5),
      );
    }
    const activeIn = await Promise.all(
      everybody.map(async ({ tab }) => (await tab.seen()).filter(({ speaking }) => speaking).length),
    );
    expect(activeIn).toEqual([1, 1, 1, 1]);

    // What is asked for is as large as it is shown. (How soon it comes is up to the sender's and the server's estimate
    // of the bandwidth.)
    const layerAsked = async (what: string, layer: number) => {
      await until(() => ada.requests.findLast(({ type }) => type === "set_layers")?.spatial_layer === layer, { what });
      ada.requests.length = 0;
    };
    await ada.page.setViewportSize({ width: 640, height: 480 });
    await layerAsked("small layers", 0);
    await ada.page.getByRole("button", { name: "Show Ben large" }).click();
    await layerAsked("a larger layer of who is looked at", 1);
    await ada.page.setViewportSize({ width: 1280, height: 800 });
    await layerAsked("the largest layer of who is looked at", 2);
    await ada.sees(
      "Ben, large",
      (tiles) => person(tiles, "Ben")?.large === true && isHue(person(tiles, "Ben"), BEN.hue),
    );
    await ada.page.getByRole("button", { name: "Back to the layout" }).click();

    // A host mutes; who was muted may speak again.
    const { keyboard } = ada.page;
    await keyboard.press("p");
    await ada.page.getByRole("button", { name: "Actions for Ben" }).click();
    await ada.page.getByRole("menuitem", { name: "Mute", exact: true }).click();
    await ben.page.getByText("Ada turned off your microphone").waitFor();
    await ben.page.getByRole("button", { name: "Unmute" }).waitFor();
    for (const tab of [ada, cem, dee]) await tab.sees("Ben muted", (tiles) => person(tiles, "Ben")?.muted === true);
    await hears(cem, "Cem does not hear Ben", [ADA.tone, DEE.tone]);
    await ben.page.keyboard.press("m");
    await hears(cem, "Cem hears Ben again", [ADA.tone, BEN.tone, DEE.tone]);

    // A hand, which the host takes down.
    await cem.page.keyboard.press("h");
    await ada.page.getByText("Cem raised a hand").waitFor();
    await ada.page.getByRole("button", { name: "Actions for Cem" }).first().click();
    await ada.page.getByRole("menuitem", { name: "Lower hand" }).click();
    await cem.page.getByText("Your hand was lowered").waitFor();
    await keyboard.press("Escape");

    // A screen: another page, captured by the browser's own getDisplayMedia.
    const slides = await dee.page.context().newPage();
    await slides.goto(
      site.page(
        "/slides",
        `<script>document.title = ${JSON.stringify(SLIDES)};
        setInterval(() => { document.body.style.background = "hsl(${SLIDES_HUE} 60% " + (40 + (Date.now() / 100) % 10) + "%)"; }, 50);</script>`,
      ),
    );
    await dee.page.keyboard.press("s");
    const screen = (tiles: Seen[]) => tiles.find(({ kind }) => kind === "screen");
    for (const tab of [ada, ben, cem]) {
      const first = await tab.sees("Dee's screen, large", (tiles) => {
        const tile = screen(tiles);
        return tile?.large === true && tile.name === "Screen of Dee" && isHue(tile, SLIDES_HUE);
      });
      expect(screen(first)?.width).toBeGreaterThan(900);
      await tab.sees("the screen moving", (tiles) => (screen(tiles)?.frames ?? 0) > (screen(first)?.frames ?? 0) + 3);
    }
    await dee.sees("what one shares", (tiles) => screen(tiles)?.name === "Your screen");
    await dee.page.keyboard.press("s");
    await ada.sees("no screen", (tiles) => screen(tiles) === undefined);
    await slides.close();

    // Words.
    await ben.page.keyboard.press("t");
    await ben.page.getByPlaceholder("Write to everybody").fill("Slides: https://example.org/1");
    await ben.page.keyboard.press("Enter");
    await ada.page.getByRole("button", { name: "Messages, 1 unread message" }).click();
    await ada.page.getByRole("link", { name: "https://example.org/1" }).waitFor();
    await ada.page.getByRole("button", { name: "Messages", exact: true }).waitFor();

    // One more comes to watch, and the sixth finds it full; then it is locked.
    await using eve = await RoomTab.open(browser, { link: await room.link("attendee") });
    await eve.join("Eve");
    await eve.sees("Eve sees four", (tiles) => tiles.length === 4 && isHue(person(tiles, "Ada"), ADA.hue));
    await hears(eve, "Eve hears four", [ADA.tone, BEN.tone, CEM.tone, DEE.tone]);
    expect(await eve.page.getByRole("button", { name: /microphone|camera|Mute/i }).count()).toBe(0);
    await using fay = await RoomTab.open(browser, { link: speaker, media: CEM });
    await fay.page.getByText("5 people are in").waitFor();
    await fay.page.getByLabel("Your name").fill("Fay");
    await fay.page.keyboard.press("Enter");
    await fay.page.getByText("The room is full").waitFor();

    // The tab dies.
    const cdp = await cem.page.context().newCDPSession(cem.page);
    const killedAt = Date.now();
    // It never answers.
    void cdp.send("Page.crash").catch(() => undefined);
    for (const tab of [ada, ben, dee]) {
      await tab.sees("Cem gone", (tiles) => tiles.length === 3 && !person(tiles, "Cem"), 5000);
    }
    expect(Date.now() - killedAt).toBeLessThan(5000);
    await ada.page.keyboard.press("Escape");
    await ada.page.keyboard.press("p");
    await ada.page.getByRole("button", { name: "Lock", exact: true }).click();
    await fay.page.getByText("Locked").waitFor();
    await fay.page.getByRole("button", { name: "Join", exact: true }).click();
    await fay.page.getByText("A host has to unlock it before you can join.").waitFor();

    // The media server dies: everybody is back by themselves, with the same devices.
    const pid = backend.log.findLast(({ msg }) => msg === "SFU worker up")?.pid as number;
    process.kill(pid, "SIGKILL");
    await ada.page.getByText("You are back").waitFor({ timeout: 5000 });
    await ada.sees("Ben and Dee again", (tiles) =>
      [BEN, DEE].every((media) => tiles.some((tile) => !tile.self && isHue(tile, media.hue))),
    );
    await hears(ada, "Ben and Dee again", [BEN.tone, DEE.tone]);

    // Everybody is put out.
    await backend.admin("DELETE", `/v1/rooms/${room.id}`);
    for (const tab of [ada, ben, dee, eve]) await tab.page.getByText("The room has ended").waitFor();
    const live = await ada.page.evaluate(
      () =>
        (globalThis as unknown as { roomWitness: { tracks: MediaStreamTrack[] } }).roomWitness.tracks.filter(
          ({ readyState }) => readyState === "live",
        ).length,
    );
    expect(live).toBe(0);
    await healthy(ada, ben, dee, eve);
  });

  it("the lobby shows one's own camera and level, lists devices, and goes in with what was chosen", async () => {
    const room = await TestRoom.open(backend, "Rehearsal");
    await using tab = await RoomTab.open(browser, { link: room.hostLink, permissions: ["camera", "microphone"] });
    const { page } = tab;
    await until(() => page.evaluate(() => (document.querySelector("video")?.videoWidth ?? 0) > 0), { what: "preview" });
    // Chromium's fake microphone beeps once a second.
    await until(
      () =>
        page.evaluate(
          () => Number(document.querySelector<HTMLElement>(".level-bar")?.style.getPropertyValue("--level")) > 0.3,
        ),
      { what: "level", everyMs: 20 },
    );
    const microphones = page.getByRole("combobox", { name: "Microphone" });
    await microphones.selectOption({ label: "Fake Audio Input 2" });
    await page.getByRole("button", { name: "Turn off camera" }).click();
    await page.getByText("Your camera is off").waitFor();
    await page.getByRole("button", { name: "Turn on camera" }).click();
    await tab.join("Ada");
    await tab.sees("oneself", ([one]) => one?.self === true && one.width > 0 && !one.muted);
    await page.getByText("You are the only one here").waitFor();
    expect(await tab.namelessControls()).toEqual([]);

    // All by keys: mute, talk, camera, panels, dialogs; the focus goes where one is, and back.
    const { keyboard } = page;
    const muted = (is: boolean) => tab.sees(is ? "muted" : "heard", ([one]) => one?.muted === is);
    await keyboard.press("m");
    await muted(true);
    await keyboard.down(" ");
    await muted(false);
    await keyboard.up(" ");
    await muted(true);
    await keyboard.press("m");
    await muted(false);
    await keyboard.press("c");
    await tab.sees("no picture", ([one]) => one?.width === 0);
    await keyboard.press("c");
    await tab.sees("a picture", ([one]) => (one?.width ?? 0) > 0);
    const focused = () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.tagName);
    await keyboard.press("p");
    await page.getByRole("complementary", { name: "People" }).waitFor();
    expect(await focused()).toBe("People");
    expect(await tab.namelessControls()).toEqual([]);
    await keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("People");
    await keyboard.press("t");
    await page.getByPlaceholder("Write to everybody").waitFor();
    // Keys are letters here.
    await keyboard.type("mm");
    expect(await page.getByPlaceholder("Write to everybody").inputValue()).toBe("mm");
    await muted(false);
    await keyboard.press("Escape");
    await keyboard.press("i");
    await page.getByRole("button", { name: "Make a link" }).click();
    const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
    expect(link).toContain(`/room/${room.id}#invite=`);
    expect(await tab.namelessControls()).toEqual([]);
    await keyboard.press("Escape");
    await keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await keyboard.press("m");
    await keyboard.press("Escape");
    await muted(false);
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByRole("dialog", { name: "Leave the room?" }).getByRole("button", { name: "Leave" }).click();
    await page.getByText("You left the room").waitFor();
    await page.getByRole("button", { name: "Join again" }).click();
    await tab.join("Ada");
    await healthy(tab);
  });

  it("says what to do when devices are refused, and notices when they are allowed after all", async () => {
    const room = await TestRoom.open(backend, "Rehearsal");
    await using tab = await RoomTab.open(browser, { link: await room.link("speaker"), ...PHONE });
    const { page } = tab;
    await page.getByRole("button", { name: "Turn on camera and microphone" }).click();
    await page.getByText("The browser keeps camera and microphone from this page").waitFor();
    expect(await tab.namelessControls()).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.viewport.width);
    const buttons = await page.locator("main button").all();
    const sides = await Promise.all(
      buttons.map(async (button) => (await button.boundingBox()) ?? { width: 0, height: 0 }),
    );
    expect(sides.length).toBeGreaterThan(3);
    expect(Math.min(...sides.map(({ width, height }) => Math.min(width, height)))).toBeGreaterThanOrEqual(44);
    // The person thinks again, in the browser's settings: the page notices.
    await page.context().grantPermissions(["camera", "microphone"]);
    await page.getByRole("button", { name: "Turn off camera" }).waitFor();
    await page.getByRole("button", { name: "Join", exact: true }).waitFor();
    // And takes it back: who goes in without devices is there all the same.
    await page.context().clearPermissions();
    await page.getByRole("heading", { name: "The camera is gone" }).waitFor();
    await page.reload();
    await page.getByLabel("Your name").fill("Ada");
    await page.getByRole("button", { name: "Join without" }).click();
    await tab.sees("oneself, unseen and unheard", ([one]) => one?.self === true && one.width === 0 && one.muted);
    await healthy(tab);
  });

  it("says what is wrong with an invite", async () => {
    const room = await TestRoom.open(backend, "Rehearsal");
    await using tab = await RoomTab.open(browser, { link: `${backend.http}/room/${room.id}` });
    const { page } = tab;
    await page.getByRole("heading", { name: "This room is by invitation" }).waitFor();
    const open = async (link: string) => {
      await page.goto("about:blank");
      await page.goto(link);
    };
    const refused = async (link: string, title: string) => {
      await open(link);
      await page.getByLabel("Your name").fill("Eve");
      await page.getByRole("button", { name: "Join", exact: true }).click();
      await page.getByRole("heading", { name: title }).waitFor();
    };
    const attendee = await room.link("attendee");
    await refused(`${attendee.slice(0, -6)}AAAAAA`, "This invite is not valid");
    await refused(attendee.replace(room.id, (await TestRoom.open(backend, "Another")).id), "This invite is not valid");
    await open(attendee.replace(room.id, "a".repeat(room.id.length)));
    await page.getByRole("heading", { name: "There is no such room" }).waitFor();
    // The same good invite, seen two hours later.
    await page.clock.install({ time: Date.now() + 2 * 3600_000 });
    await open(attendee);
    await page.getByRole("heading", { name: "This invite has expired" }).waitFor();
    expect(await tab.namelessControls()).toEqual([]);
    expect(await tab.violations()).toEqual([]);
  });
});
