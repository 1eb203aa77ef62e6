import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

const problemsOf = (environment: Record<string, string>) => {
  try {
    readConfig(environment, false);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
};

describe("configuration", () => {
  it("has a default for everything", () => {
    expect(readConfig({}, false)).toMatchObject({ httpPort: 8080, rtmpPort: 1935, srtPort: 9000, partMs: 333 });
  });

  it("takes empty values as not given", () => {
    expect(readConfig({ KLIEG_HTTP_PORT: "" }, false).httpPort).toBe(8080);
  });

  it("names every variable that is wrong at once", () => {
    const problems = problemsOf({ KLIEG_HTTP_PORT: "eighty", KLIEG_RTMP_PORT: "70000", KLIEG_PORT: "1" });
    expect(problems.map((problem) => problem.split(":")[0]).sort()).toEqual([
      "KLIEG_HTTP_PORT",
      "KLIEG_PORT",
      "KLIEG_RTMP_PORT",
    ]);
  });

  it("wants both TLS files or none", () => {
    expect(problemsOf({ KLIEG_TLS_CERT: "cert.pem" })).toEqual([expect.stringContaining("KLIEG_TLS_KEY")]);
  });

  it("leaves variables of others alone", () => {
    expect(problemsOf({ HOME: "/", KLIEGLIGHT: "on" })).toEqual([]);
  });

  it("says what is wrong with a ladder", () => {
    expect(problemsOf({ KLIEG_LADDER: "720p" })).toEqual([expect.stringContaining("one looks like 720p:3000k")]);
    expect(readConfig({ KLIEG_LADDER: "off" }, false).ladder).toEqual([]);
  });

  it("cuts the slash off the public address", () => {
    expect(readConfig({ KLIEG_PUBLIC_URL: "https://live.example/" }, false).publicUrl).toBe("https://live.example");
  });

  it("has a WebRTC port and a worker for each core", () => {
    const config = readConfig({}, false);
    expect(config).toMatchObject({ webrtc: true, rtcPort: 44_444, announcedAddresses: [], iceServers: [] });
    expect(config.rtcWorkers).toBeGreaterThan(0);
    expect(readConfig({ KLIEG_WEBRTC: "off", KLIEG_RTC_WORKERS: "3" }, false)).toMatchObject({
      webrtc: false,
      rtcWorkers: 3,
    });
  });

  it("takes addresses and host names to announce", () => {
    const announced = (text: string) => readConfig({ KLIEG_ANNOUNCED_ADDRESS: text }, false).announcedAddresses;
    expect(announced("203.0.113.1, 2001:db8::1,live.example")).toEqual(["203.0.113.1", "2001:db8::1", "live.example"]);
    for (const wrong of ["http://live.example", "203.0.113.1:44444", "1.2.3", "a b", "[::1]", ","]) {
      expect(problemsOf({ KLIEG_ANNOUNCED_ADDRESS: wrong }), wrong).toEqual([
        expect.stringContaining("KLIEG_ANNOUNCED_ADDRESS"),
      ]);
    }
  });

  it("wants credentials for a TURN server, and knows how to make them with a secret", () => {
    const turn = { KLIEG_ICE_SERVERS: "stun:stun.example,turn:turn.example" };
    expect(problemsOf(turn)).toEqual([expect.stringContaining("KLIEG_TURN_SECRET")]);
    expect(problemsOf({ ...turn, KLIEG_TURN_SECRET: "north" })).toEqual([]);
    expect(problemsOf({ KLIEG_ICE_SERVERS: "turn.example" })).toEqual([expect.stringContaining("looks like stun:")]);
  });
});
