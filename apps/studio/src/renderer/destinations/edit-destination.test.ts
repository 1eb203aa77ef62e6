import { describe, expect, test } from "vitest";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import type { Connection } from "../health/connection.ts";
import { addressWords, destinationWords } from "./destination-words.ts";
import {
  destinationAt,
  destinationInBrowser,
  isWhole,
  newDestination,
  tidied,
  withDestination,
  withoutDestination,
} from "./edit-destination.ts";

const NOW = 1_700_000_000_000;

describe("destinations (STU3)", () => {
  test("are added, changed in place and removed, and the show stays valid", () => {
    const one = newDestination("klieg", "http://localhost:8080");
    const two = newDestination("rtmp", "rtmp://example.com/live");
    const both = withDestination(withDestination(newDocument("Scene"), one), two);
    expect(StudioDocument.parse(both).destinations).toEqual([one, two]);
    expect(destinationAt(both, "http://localhost:8080/")).toEqual(one);
    expect(destinationAt(both, "http://localhost:8081")).toBeUndefined();
    const renamed = withDestination(both, { ...one, name: "Home" });
    expect(renamed.destinations.map(({ name }) => name)).toEqual(["Home", "Other platform"]);
    expect(withoutDestination(renamed, one.id).destinations).toEqual([two]);
  });

  test("take addresses as people paste them", () => {
    const url = (kind: "klieg" | "rtmp" | "srt", text: string) => tidied(newDestination(kind, text)).url;
    expect(url("klieg", " localhost:8080 ")).toBe("http://localhost:8080");
    expect(url("klieg", "192.168.1.5:8080")).toBe("http://192.168.1.5:8080");
    expect(url("klieg", "live.example.com")).toBe("https://live.example.com");
    expect(url("rtmp", "a.example.com/live")).toBe("rtmp://a.example.com/live");
    expect(url("srt", "srt://a.example.com:9000")).toBe("srt://a.example.com:9000");
    expect(isWhole(tidied(newDestination("klieg", "live.example.com")))).toBe(true);
    expect(isWhole(newDestination("klieg", "rtmp://live.example.com"))).toBe(false);
    expect(isWhole(newDestination("rtmp", ""))).toBe(false);
    expect(tidied({ ...newDestination("srt"), name: " " }).name).toBe("SRT receiver");
  });

  test("say how they do", () => {
    const destination = { ...newDestination("klieg", "http://localhost:8080"), name: "Home" };
    expect(addressWords(destination)).toBe("SRT · localhost:8080");
    expect(destinationWords(destination, false, undefined, NOW)).toEqual({ text: "No key yet", tone: "warn" });
    expect(destinationWords(destination, true, undefined, NOW).text).toBe("Ready");
    expect(destinationWords(destination, true, undefined, NOW, true).text).toMatch(/^Needs the Klieg app/);
    const own = destinationInBrowser("http://localhost:8080");
    expect(destinationWords(own, true, undefined, NOW, true).text).toBe("Ready");
    const lost: Connection = {
      id: destination.id,
      name: "Home",
      carrier: "srt",
      state: "reconnecting",
      attempt: 2,
      nextAttemptAt: NOW + 3500,
      problem: { code: "unreachable", message: "Nobody answers.", retryable: true },
      watchUrl: undefined,
      bitrate: undefined,
      rttMs: undefined,
      loss: undefined,
      retransmitted: undefined,
      bufferMs: undefined,
      droppedFrames: undefined,
      limitedBy: undefined,
      targetBitrate: undefined,
      encoding: undefined,
    };
    expect(destinationWords(destination, true, lost, NOW)).toEqual({
      text: "Reconnecting · 4 s · Nobody answers.",
      tone: "warn",
    });
  });
});
