import { describe, expect, test } from "vitest";
import { cardLabel, levelFor } from "./encoder-choice.ts";

describe("the browser's encoder (STU2)", () => {
  test("is asked for the lowest level that the picture and its bitrate fit", () => {
    const at = (width: number, height: number, frameRate: number, bitrate = 4_000_000) =>
      levelFor({ width, height, frameRate }, bitrate);
    expect(at(640, 360, 30)).toBe(30);
    expect(at(1280, 720, 30)).toBe(31);
    expect(at(1280, 720, 60)).toBe(32);
    expect(at(1920, 1080, 30)).toBe(40);
    expect(at(1920, 1080, 60)).toBe(42);
    expect(at(3840, 2160, 30)).toBe(51);
    expect(at(3840, 2160, 60)).toBe(52);
    expect(at(1280, 720, 30, 18_000_000)).toBe(32);
  });

  test("is named by who made the graphics card", () => {
    expect(cardLabel("ANGLE (NVIDIA, NVIDIA GeForce RTX 3060 (0x2504) Direct3D11)")).toBe("NVIDIA GPU");
    expect(cardLabel("ANGLE (Apple, ANGLE Metal Renderer: Apple M2, Unspecified Version)")).toBe("Apple GPU");
    expect(cardLabel("ANGLE (AMD, Radeon RX 6800 (navi21))")).toBe("AMD GPU");
    expect(cardLabel("Mesa Intel(R) UHD Graphics 620 (KBL GT2)")).toBe("Intel GPU");
    expect(cardLabel("")).toBe("GPU");
  });
});
