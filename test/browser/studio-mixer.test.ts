import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { addSource, changeSource } from "../../apps/studio/src/document/edit.ts";
import type { AudioFilter } from "../../apps/studio/src/document/filter.ts";
import { type AudioSettings, DEFAULT_AUDIO, type Source } from "../../apps/studio/src/document/source.ts";
import { newDocument, type StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { CONTENT_SECURITY_POLICY } from "../../apps/studio/src/served/content-security-policy.ts";
import { ModuleTab } from "../harness/module-tab.ts";
import type { StudioMixerPage } from "../harness/studio-mixer-page.ts";

const SILENT = -90;
/** Measured again where a busy machine's sound has stuttered, between the tone and the mixer too. */
const again = (measure: () => Promise<void>) => vi.waitFor(measure, { timeout: 20_000, interval: 1 });

function show(...names: readonly string[]): StudioDocument {
  let document = newDocument("Scene");
  document = { ...document, transition: { kind: "cut" } };
  for (const name of names) {
    const microphone: Source = {
      ...({ id: name, name, kind: "microphone", device: { id: "", label: "" }, echo_cancellation: false } as const),
      audio: DEFAULT_AUDIO,
    };
    document = addSource(document, microphone, document.program);
  }
  return document;
}

function sounding(document: StudioDocument, id: string, audio: Partial<AudioSettings>): StudioDocument {
  return changeSource(document, id, (source) =>
    source.kind === "microphone" ? { ...source, audio: { ...source.audio, ...audio } } : source,
  );
}

/** dBFS of the peak of one frequency in sound at 48 kHz (Goertzel, with a Hann window). */
function levelOf(samples: readonly number[], frequency: number): number {
  const [turn, length] = [(2 * Math.PI * frequency) / 48_000, samples.length];
  let [real, imaginary] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    const weight = 1 - Math.cos((2 * Math.PI * i) / length);
    real += weight * sample * Math.cos(turn * i);
    imaginary += weight * sample * Math.sin(turn * i);
  }
  return 20 * Math.log10(Math.max(1e-6, (2 * Math.hypot(real, imaginary)) / length));
}

function rmsOf(samples: readonly number[]): number {
  return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 1e-12) / samples.length);
}

describe("mixer in Chromium, under the policy of the studio's page", () => {
  let tab: ModuleTab<StudioMixerPage>;
  beforeAll(async () => {
    tab = await ModuleTab.open<StudioMixerPage>("studio-mixer-page.ts", { policy: CONTENT_SECURITY_POLICY });
    await tab.call("start");
  });
  afterAll(async () => {
    await tab?.[Symbol.asyncDispose]();
  });

  /** 0.3 s of the program, from when a document has had 200 ms to be heard. */
  async function heard(document: StudioDocument) {
    await tab.call("update", document);
    await tab.call("forget");
    const all = await tab.call("heard", 0.5);
    return { ...all, left: all.left.slice(9600), right: all.right.slice(9600) };
  }

  test("known tones come out of the mix, its track and its meters as loud as computed (STU2)", async () => {
    const both = show("voice", "music");
    await tab.call("update", both);
    await tab.call("addTone", "voice", 997, -23);
    await tab.call("addTone", "music", 3000, -Infinity);
    expect(await tab.call("state")).toBe("running");
    await tab.call("forget");
    // Until the meters show what was first heard, and have forgotten how it began.
    await tab.call("heard", 0.6);
    await again(async () => {
      await tab.call("resetLoudness");
      await tab.call("forget");
      const voice = await tab.call("heard", 3.1);
      for (const channel of [voice.left, voice.right]) expect(levelOf(channel.slice(48_000), 997)).toBeCloseTo(-23, 0);
      expect(voice.holes).toBe(0);
      expect(voice.late).toBeLessThan(250_000);
      const levels = await tab.call("levels");
      expect(Object.keys(levels).sort()).toEqual(["music", "program", "voice"]);
      for (const id of ["voice", "program"]) {
        expect(levels[id]?.peakDb).toBeCloseTo(-23, 0);
        expect(levels[id]?.rmsDb).toBeCloseTo(-26.01, 0);
      }
      expect(levels.music?.peakDb).toBeLessThan(SILENT);
      const { momentary, shortTerm, integrated } = await tab.call("loudness");
      for (const loudness of [momentary, shortTerm, integrated]) expect(Math.abs(loudness + 23)).toBeLessThan(0.3);
    });

    await tab.call("setLevel", "music", -12);
    await again(async () => {
      const mixed = await heard(both);
      expect(levelOf(mixed.left, 997)).toBeCloseTo(-23, 0);
      expect(levelOf(mixed.left, 3000)).toBeCloseTo(-12, 0);
      const track = await tab.call("trackHeard", 0.5);
      expect(levelOf(track, 997)).toBeCloseTo(-23, 0);
      expect(levelOf(track, 3000)).toBeCloseTo(-12, 0);
    });
  });

  test("gain, pan, mute, solo and the scene on air are heard in the program as the document says (STU2)", async () => {
    const both = show("voice", "music");
    await again(async () => {
      const turned = await heard(
        sounding(sounding(both, "voice", { gain: 6, pan: -1 }), "music", { gain: -10, pan: 0.5 }),
      );
      expect(levelOf(turned.left, 997)).toBeCloseTo(-17, 0);
      expect(levelOf(turned.right, 997)).toBeLessThan(SILENT);
      expect(levelOf(turned.right, 3000)).toBeCloseTo(-22, 0);
      expect(levelOf(turned.left, 3000)).toBeCloseTo(-25.01, 0);
    });

    // Solo is the operator's alone.
    await again(async () => {
      const muted = await heard(sounding(sounding(both, "voice", { muted: true }), "voice", { solo: true }));
      expect(levelOf(muted.left, 997)).toBeLessThan(SILENT);
      expect(levelOf(muted.left, 3000)).toBeCloseTo(-12, 0);
      expect((await tab.call("levels")).voice?.peakDb).toBeCloseTo(-23, 0);
    });

    const other = { id: "other", name: "Other", items: [], transition: null };
    await again(async () => {
      const away = await heard({ ...both, scenes: [...both.scenes, other], program: "other" });
      expect(rmsOf(away.left)).toBeLessThan(SILENT);
      expect(levelOf((await heard(both)).right, 3000)).toBeCloseTo(-12, 0);
    });
    await tab.call("removeTrack", "music");
    expect(levelOf((await heard(both)).right, 3000)).toBeLessThan(SILENT);
    expect((await tab.call("levels")).music?.peakDb).toBeLessThan(SILENT);
  });

  test("a delay makes a source come later by as much (STU2)", async () => {
    const both = show("voice", "late");
    await tab.call("addTone", "voice", 997, -Infinity);
    await tab.call("addTone", "late", 3000, -Infinity);
    await tab.call("update", sounding(both, "late", { delay: 300 }));
    await again(async () => {
      for (const id of ["voice", "late"]) await tab.call("setLevel", id, -Infinity);
      await tab.call("forget");
      await tab.call("heard", 0.4);
      await tab.page.evaluate(() => {
        const { tested } = globalThis as unknown as { tested: StudioMixerPage };
        tested.forget();
        tested.setLevel("voice", -12);
        tested.setLevel("late", -12);
      });
      const { left } = await tab.call("heard", 1);
      const step = 48;
      const begins = (frequency: number) => {
        for (let at = 0; at + 480 < left.length; at += step) {
          if (levelOf(left.slice(at, at + 480), frequency) > -18) return at / 48;
        }
        return Number.NaN;
      };
      expect(Math.abs(begins(3000) - begins(997) - 300)).toBeLessThan(8);
    });
  });

  test("limiter, compressor, gate and noise suppression do what they are for (STU2)", async () => {
    const voice = show("voice");
    const filtered = (...filters: AudioFilter[]) => heard(sounding(voice, "voice", { filters }));
    const base = { id: "f", enabled: true } as const;
    await tab.call("addTone", "voice", 997, -1.5);
    await again(async () => {
      const limited = await filtered({ ...base, kind: "limiter", ceiling: -12, release: 50 });
      expect(Math.max(...limited.left.map(Math.abs))).toBeLessThanOrEqual(10 ** (-12 / 20) + 1 / 32_768);
      expect(levelOf(limited.left, 997)).toBeCloseTo(-12, 0);
      expect((await tab.call("levels")).voice?.reductionDb).toBeCloseTo(10.5, 0);
    });

    await tab.call("setLevel", "voice", -10);
    const compressor = {
      ...base,
      kind: "compressor",
      threshold: -30,
      ratio: 4,
      knee: 0,
      attack: 1,
      release: 20,
    } as const;
    await again(async () => {
      expect(levelOf((await filtered({ ...compressor, makeup: 6 })).left, 997)).toBeCloseTo(-19, 0);
    });

    const gate = { ...base, kind: "gate", open_at: -30, close_at: -40, attack: 1, hold: 20, release: 20 } as const;
    await again(async () => {
      expect(levelOf((await filtered(gate)).left, 997)).toBeCloseTo(-10, 0);
    });
    await tab.call("setLevel", "voice", -45);
    await again(async () => {
      expect(rmsOf((await filtered(gate)).left)).toBeLessThan(SILENT);
    });

    // RNNoise, loaded from the page's own address and compiled under its policy.
    await tab.call("addTone", "voice", 0, -20);
    const loud = rmsOf((await filtered()).left);
    await filtered({ ...base, kind: "noise_suppression" });
    await tab.call("heard", 1);
    expect(rmsOf((await filtered({ ...base, kind: "noise_suppression" })).left)).toBeLessThan(loud - 20);
    expect(await tab.call("problem")).toBe(undefined);
  });

  test("a guest's track by WebRTC is heard like any other, and guests get the mix without themselves (STU7)", async () => {
    await tab.call("addTone", "guest", 997, -20);
    await tab.call("addTone", "bed", 3000, -12);
    await tab.call("sendByWebRtc", "guest");
    let document = show("bed");
    const guest: Source = { id: "guest", name: "guest", kind: "guest", seat: 1, filters: [], audio: DEFAULT_AUDIO };
    document = addSource(document, guest, document.program);
    // Opus, and a jitter buffer that has to fill first.
    await again(async () => {
      const { left } = await heard(document);
      expect(Math.abs(levelOf(left, 997) + 20)).toBeLessThan(2);
      expect(levelOf(left, 3000)).toBeCloseTo(-12, 0);
      const theirs = await tab.call("trackHeard", 0.5, "mix_minus");
      expect(levelOf(theirs, 3000)).toBeCloseTo(-12, 0);
      expect(levelOf(theirs, 997)).toBeLessThan(SILENT);
    });
  });

  test("a page that is held up for two seconds loses nothing of the mix (STU2)", async () => {
    await tab.call("update", show("voice"));
    await tab.call("addTone", "voice", 997, -20);
    await tab.call("heard", 0.3);
    await tab.call("forget");
    await tab.call("hold", 2000);
    const { left, holes, late } = await tab.call("heard", 2.6);
    expect(holes).toBe(0);
    expect(late).toBeLessThan(250_000);
    // Not a tenth of a second of it is silent.
    for (let at = 24_000; at + 4800 <= left.length; at += 4800) {
      expect(levelOf(left.slice(at, at + 4800), 997)).toBeGreaterThan(-26);
    }
  });

  test("an output device that is not there is said, and the mix goes on; closing stops what is its own (STU2)", async () => {
    await tab.call("setMonitorDevice", "nowhere");
    expect(await tab.call("problem")).toBe("no_device");
    await tab.call("setMonitorDevice", "");
    expect(await tab.call("problem")).toBe(undefined);
    await tab.call("forget");
    expect((await tab.call("heard", 0.2)).holes).toBe(0);
    const { program, mixMinus, sources, state } = await tab.call("close");
    expect({ program, mixMinus, state }).toEqual({ program: "ended", mixMinus: "ended", state: "closed" });
    expect(new Set(sources)).toEqual(new Set(["live"]));
    expect(tab.complaints).toEqual([]);
  });
});

test("a page without a gesture has silence at the right time, and the mix from the first click on, without a hole (STU2)", async () => {
  await using tab = await ModuleTab.open<StudioMixerPage>("studio-mixer-page.ts", {
    policy: CONTENT_SECURITY_POLICY,
    hash: "#waiting",
    args: ["--autoplay-policy=document-user-activation-required"],
  });
  const silent = await tab.call("heard", 0.8);
  expect(silent.state).toBe("waiting");
  expect(rmsOf(silent.left)).toBeLessThan(SILENT);
  expect(silent.late).toBeLessThan(600_000);
  await tab.call("update", show("voice"));
  await tab.call("addTone", "voice", 997, -20);
  await tab.page.mouse.click(10, 10);
  await tab.page.waitForFunction(
    () => (globalThis as unknown as { tested: StudioMixerPage }).tested.state() === "running",
  );
  await tab.call("resumeSources");
  await again(async () => {
    await tab.call("forget");
    const { left, holes, late } = await tab.call("heard", 1);
    expect(levelOf(left.slice(-24_000), 997)).toBeCloseTo(-20, 0);
    expect(holes).toBe(0);
    expect(late).toBeLessThan(250_000);
  });
  await tab.call("close");
});
