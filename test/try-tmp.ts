import { BackendProcess } from "/work/main/test/harness/backend.ts";
import { broadcastClock } from "/work/main/test/harness/clock-broadcast.ts";
import { openChromium } from "/work/main/test/harness/chromium.ts";
import { WatchedPage } from "/work/main/test/harness/watched-page.ts";
import { takeShownFrames } from "/work/main/test/harness/picture-clock.ts";
import { percentile } from "/work/main/bench/measure/percentile.ts";
const SECONDS = Number(process.argv[2] ?? 20);
const ladder = process.argv[3] ?? "off";
await using backend = await BackendProcess.start({ env: { KLIEG_LADDER: ladder } });
await using enc = broadcastClock({ url: backend.rtmpUrl(), ...(process.argv[4] === "720" ? {width:1280,height:720,bitrate:3_000_000}: {}) });
await backend.live();
const browser = await openChromium();
await using w = await WatchedPage.open(browser, { url: `${backend.http}/watch/demo` });
await w.stage("playing");
console.log(await w.now());
for (let i = 0; i < SECONDS / 5; i++) {
  await new Promise((r) => setTimeout(r, 5000));
  const { frames, unreadable } = await takeShownFrames(w.page);
  const lat = frames.map((f) => f.shownAt - f.madeAt);
  console.log(frames.length, unreadable, "p50", percentile(lat, 0.5), "p95", percentile(lat, .95), "max", Math.max(...lat), "told", frames.at(-1)?.told, JSON.stringify(await w.now()));
}
const m = await (await fetch(`${backend.http}/metrics`)).text();
console.log(m.split("\n").filter((l) => /part_latency.*(sum|count|le)/.test(l)).join("\n"));
console.log(w.complaints, await w.violations(), await w.controls());
await w.page.screenshot({ path: "/tmp/klieg/try.png" });
await browser.close();
