import type { DeliveryDirectives } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import type { OriginAnswer } from "../origin/origin.ts";
import { FakeSession } from "../testing/fake-session.ts";
import { PackagedStream } from "../testing/packaged-stream.ts";
import { picture, VIDEO } from "../testing/tracks.ts";

function textOf(answer: OriginAnswer | KliegError | undefined): string {
  if (answer === undefined) throw new Error("no answer yet");
  if (answer instanceof KliegError) throw answer;
  if (!("chunks" in answer.body)) throw new Error("not in memory");
  return Buffer.concat(answer.body.chunks).toString();
}

function playlist(subject: PackagedStream, rendition: string, wanted: DeliveryDirectives = { skip: false }): string {
  let answer: OriginAnswer | KliegError | undefined;
  subject.packager.origin.playlist(rendition, wanted, (settled) => {
    answer = settled;
  });
  return textOf(answer);
}

const linesOf = (text: string, tag: string) => text.split("\n").filter((line) => line.startsWith(tag));

describe("PKG1: the source rendition, packaged", () => {
  it("is live at the first whole segment, in segments of two seconds and parts of a third", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    expect(() => subject.packager.origin.multivariant("")).toThrow(
      expect.objectContaining({ code: "stream_not_live" }),
    );
    await subject.send(1.9);
    expect(subject.stream.state).toBe("starting");
    expect(() => playlist(subject, "source")).toThrow(expect.objectContaining({ code: "stream_not_live" }));
    await subject.send(0.2);
    expect(subject.stream.state).toBe("live");
    await subject.send(6.3);
    const text = playlist(subject, "source");
    expect(linesOf(text, "#EXTINF")).toEqual(Array(4).fill("#EXTINF:2.00000,"));
    expect(linesOf(text, "#EXT-X-PART:")[0]).toContain("DURATION=0.33333");
    expect(linesOf(text, "#EXT-X-RENDITION-REPORT")).toHaveLength(1);
    expect(linesOf(playlist(subject, "audio"), "#EXTINF").length).toBeGreaterThanOrEqual(3);
  });

  it("ends where packaging it fails, and tells its encoder, instead of taking others with it", async () => {
    let failing = false;
    await using subject = new PackagedStream({
      observePart: () => {
        if (failing) throw new Error("a fault of ours");
      },
    });
    subject.connect();
    await subject.send(5);
    const session = subject.contribution?.session;
    failing = true;
    await subject.send(1);
    expect(subject.stream.state).toBe("ended");
    expect(subject.stream.endReason).toEqual({ by: "self", message: "packaging failed" });
    expect(session).toMatchObject({ refusals: [{ code: "internal" }] });
    expect(playlist(subject, "source")).toContain("#EXT-X-ENDLIST");
  });

  it("is not live before the sound that the source has announced can be played, unless it is late", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    await subject.send(3, { audio: false });
    expect(subject.stream.state).toBe("starting");
    await subject.send(2);
    expect(subject.stream.state).toBe("live");
    expect(textOf(subject.packager.origin.multivariant(""))).toContain('URI="audio/index.m3u8"');

    await using mute = new PackagedStream();
    mute.connect();
    await mute.send(6, { audio: false });
    expect(mute.stream.state).toBe("live");
  });

  it("has a multivariant playlist that is true", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    await subject.send(5);
    const text = textOf(subject.packager.origin.multivariant("x/"));
    expect(text).toContain('CODECS="avc1.42c01e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=30.000,AUDIO="audio"');
    expect(text).toContain("x/source/index.m3u8");
    expect(text).toContain('URI="x/audio/index.m3u8"');
    const [description] = subject.packager.describe();
    // 100 bytes a frame, 30 frames a second, and CMAF's own boxes.
    expect(description?.bandwidth).toBeGreaterThan(24_000);
    expect(description?.bandwidth).toBeLessThan(50_000);
    expect(description?.average_bandwidth).toBeLessThanOrEqual(description?.bandwidth ?? 0);
  });

  it("plays sound alone when no picture comes, and the picture when it comes after all", async () => {
    await using subject = new PackagedStream();
    subject.connect({ video: false });
    await subject.send(6, { video: false });
    expect(subject.stream.state).toBe("live");
    expect(textOf(subject.packager.origin.multivariant(""))).toContain('CODECS="mp4a.40.2"');
    subject.contribution?.onTrack(VIDEO);
    await subject.send(8);
    expect(textOf(subject.packager.origin.multivariant(""))).toContain("RESOLUTION=640x360");
    expect(linesOf(playlist(subject, "source"), "#EXTINF").length).toBeGreaterThan(0);
  });

  it("marks a reconnect with one discontinuity in every rendition (PKG4)", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    await subject.send(4);
    subject.contribution?.close({ by: "peer", message: "gone" });
    subject.packager.interrupt();
    subject.packager.settle();
    subject.clock.advance(3000);
    subject.connect();
    await subject.send(6);
    for (const rendition of ["source", "audio"]) {
      expect(playlist(subject, rendition)).not.toContain("GAP");
      expect(
        linesOf(playlist(subject, rendition), "#EXT-X-DISCONTINUITY").filter((line) => line === "#EXT-X-DISCONTINUITY"),
      ).toHaveLength(1);
    }
  });

  it("keeps the picture going when the sound stops, with gaps in its place (PKG4)", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    await subject.send(4);
    await subject.send(10, { audio: false });
    expect(linesOf(playlist(subject, "source"), "#EXTINF").length).toBeGreaterThanOrEqual(6);
    expect(linesOf(playlist(subject, "audio"), "#EXT-X-GAP").length).toBeGreaterThan(0);
  });

  it("ends with an end list, and answers who waits", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    await subject.send(3);
    let answer: OriginAnswer | KliegError | undefined;
    subject.packager.origin.playlist("source", { msn: 2, skip: false }, (settled) => {
      answer = settled;
    });
    expect(answer).toBeUndefined();
    await subject.stream.close();
    subject.packager.end();
    expect(textOf(answer)).toContain("#EXT-X-ENDLIST");
  });
});

describe("what is kept of the past", () => {
  it("stores whole segments, forgets them in memory, and deletes what has left the window", async () => {
    await using subject = new PackagedStream({ windowMs: 30_000 });
    subject.connect();
    await subject.send(90);
    const text = playlist(subject, "source");
    const first = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
    expect(first).toBeGreaterThan(20);
    expect(subject.blobs.blobs.has(`live/${subject.stream.id}/source/${first}.m4s`)).toBe(true);
    expect(subject.blobs.blobs.has(`live/${subject.stream.id}/source/0.m4s`)).toBe(false);
    // From the store, and with its bytes whole.
    const answer = await new Promise<OriginAnswer | KliegError>((resolve) => {
      subject.packager.origin.segment("source", first, resolve);
    });
    if (answer instanceof KliegError || "chunks" in answer.body) throw new Error("not from the store");
    expect(answer.body.byteLength).toBeGreaterThan(5000);
    expect(() => subject.packager.origin.segment("source", 100_000, () => undefined)).toThrow(KliegError);
    await subject.stream.close();
    await subject.packager.close();
    expect([...subject.blobs.blobs.keys()]).toEqual([]);
  });

  it("stays live when the disk is full: the window shrinks to what memory has, and says so", async () => {
    await using subject = new PackagedStream();
    subject.connect();
    await subject.send(20);
    subject.blobs.full = true;
    await subject.send(60);
    expect(subject.packager.warnings.map(({ code }) => code)).toEqual(["storage_unavailable"]);
    const text = playlist(subject, "source");
    const first = Number(/MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
    const count = linesOf(text, "#EXTINF").length;
    expect(count).toBeLessThan(20);
    // Whatever the playlist names can be had.
    for (let msn = first; msn < first + count; msn += 1) {
      const answer = await new Promise<OriginAnswer | KliegError>((resolve) => {
        subject.packager.origin.segment("source", msn, resolve);
      });
      expect(answer).not.toBeInstanceOf(KliegError);
    }
    subject.blobs.full = false;
    await subject.send(4);
    expect(subject.packager.warnings).toEqual([]);
    expect(subject.logger.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("makes no segment longer than the target duration of a source without keyframes", async () => {
    await using subject = new PackagedStream();
    subject.connect({ audio: false });
    for (let frame = 0; frame < 600; frame += 1) {
      subject.contribution?.onAccessUnit(picture(frame * 3000, { keyframe: frame === 0 }));
      subject.clock.advance(1000 / 30);
    }
    const text = playlist(subject, "source");
    for (const line of linesOf(text, "#EXTINF"))
      expect(Math.round(Number.parseFloat(line.slice(8)))).toBeLessThanOrEqual(4);
    expect(text).not.toContain("#EXT-X-INDEPENDENT-SEGMENTS");
  });
});

describe("RTC3: a source that no player plays as it is", () => {
  it("leads, unseen, what is made of it, through changes of its size, and is live with that", async () => {
    await using subject = new PackagedStream();
    subject.packager.passVideoThrough = false;
    subject.packager.passAudioThrough = false;
    subject.packager.expect([{ name: "360p", kind: "video" }]);
    const made = { ...VIDEO };
    const sent = { ...VIDEO, codec: "vp8", codecString: "vp08.00.10.08" } as const;
    const smaller = { ...sent, width: 320, height: 180 };
    const contribution = subject.stream.attach(new FakeSession());
    contribution.onTrack(sent);
    let frame = 0;
    const send = async (seconds: number, track: typeof sent) => {
      for (const end = frame + seconds * 30; frame < end; frame += 1) {
        const unit = picture(frame * 3000, { keyframe: frame % 60 === 0, track });
        contribution.onAccessUnit(unit);
        const placed = subject.stream.timeline.position ?? 0;
        subject.packager.pushTranscoded("360p", "libx264", {
          ...unit,
          track: made,
          dts: Math.round(placed / 3000) * 3000,
          pts: Math.round(placed / 3000) * 3000,
        });
        subject.clock.advance(1000 / 30);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await send(6, sent);
    expect(subject.stream.state).toBe("live");
    await send(4, smaller);
    const multivariant = textOf(subject.packager.origin.multivariant(""));
    expect(multivariant).not.toContain("source/");
    expect(linesOf(multivariant, "#EXT-X-STREAM-INF")).toHaveLength(1);
    const text = playlist(subject, "360p");
    expect(linesOf(text, "#EXTINF").slice(0, 4)).toEqual(Array(4).fill("#EXTINF:2.00000,"));
    expect(text).not.toContain("DISCONTINUITY\n");
    expect(subject.packager.describe().map(({ name }) => name)).toEqual(["360p"]);
  });

  it("is packaged where a source comes back that can be played", async () => {
    await using subject = new PackagedStream();
    subject.packager.passVideoThrough = false;
    subject.packager.expect([]);
    subject.connect();
    await subject.send(3);
    expect(subject.stream.state).toBe("starting");
    subject.packager.interrupt();
    subject.packager.passVideoThrough = true;
    await subject.send(6);
    expect(subject.stream.state).toBe("live");
    expect(linesOf(playlist(subject, "source"), "#EXTINF").length).toBeGreaterThanOrEqual(2);
  });
});
