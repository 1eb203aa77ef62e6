import { describe, expect, test } from "vitest";
import { OnAir } from "./on-air.ts";

const FADE = { kind: "fade", duration: 500 } as const;

describe("the scene on air (STU1)", () => {
  test("follows the document by a cut", () => {
    const onAir = new OnAir();
    onAir.follow("a");
    onAir.follow("b");
    expect(onAir.scene).toBe("b");
    expect(onAir.mixAt(0)).toBeUndefined();
  });

  test("goes over by a transition, which a document that was on its way does not undo", () => {
    const onAir = new OnAir();
    onAir.follow("a");
    onAir.take("b", FADE, 1_000_000);
    onAir.follow("a");
    expect(onAir.scene).toBe("b");
    expect(onAir.mixAt(1_000_000)).toMatchObject({ from: "a", to: "b", progress: 0 });
    onAir.follow("b");
    expect(onAir.mixAt(1_250_000)).toMatchObject({ from: "a", to: "b", progress: 0.5 });
    expect(onAir.mixAt(1_500_000)).toBeUndefined();
    expect(onAir.mixAt(1_400_000)).toBeUndefined();
  });

  test("is cut short by another scene of the document's", () => {
    const onAir = new OnAir();
    onAir.follow("a");
    onAir.take("b", FADE, 0);
    onAir.follow("b");
    onAir.follow("c");
    expect(onAir.scene).toBe("c");
    expect(onAir.mixAt(1)).toBeUndefined();
  });

  test("stays where it is when it is taken again, and cuts where that is asked for", () => {
    const onAir = new OnAir();
    onAir.follow("a");
    onAir.take("a", FADE, 0);
    expect(onAir.mixAt(1)).toBeUndefined();
    onAir.take("b", { kind: "cut" }, 0);
    expect(onAir.scene).toBe("b");
    expect(onAir.mixAt(1)).toBeUndefined();
  });
});
