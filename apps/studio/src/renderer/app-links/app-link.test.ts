import type { StudioEvent } from "@klieg/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Toasts } from "../shell/toasts.ts";
import { createDialogStore } from "../state/dialogs.ts";
import { readAppLink } from "./app-link.ts";
import { followLinks } from "./follow-links.ts";

describe("STU9: links of the app's own scheme", () => {
  test("name a server to connect to", () => {
    const server = (url: string) => {
      const link = readAppLink(url);
      return link.kind === "connect" ? link.server : undefined;
    };
    expect(server("klieg://connect?server=https%3A%2F%2Flive.example.com")).toBe("https://live.example.com");
    expect(server("klieg://connect/?server=http://localhost:8080/")).toBe("http://localhost:8080");
    expect(server("KLIEG://CONNECT?x=1&server=https://a.example/klieg/?q#f")).toBe("https://a.example/klieg");
  });

  test("are nothing where they ask for something else", () => {
    for (const url of [
      "klieg://connect",
      "klieg://connect?server=",
      "klieg://connect?server=javascript:alert(1)",
      "klieg://connect?server=file:///etc/passwd",
      "klieg://connect?server=https://me:secret@a.example",
      `klieg://connect?server=https://a.example/${"a".repeat(2000)}`,
      "klieg://go-live",
      "klieg://room/abc#invite",
      "https://connect?server=https://a.example",
    ]) {
      expect(readAppLink(url), url).toEqual({ kind: "unknown" });
    }
    fc.assert(fc.property(fc.string(), (rest) => void readAppLink(`klieg://connect?${rest}`)));
  });

  test("open the form for it, or say that they are not known", () => {
    const listeners = new Set<(event: StudioEvent) => void>();
    const link = {
      onEvent: (listener: (event: StudioEvent) => void) => {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    };
    const dialogs = createDialogStore();
    using toasts = new Toasts();
    const following = followLinks({ link, dialogs, toasts });
    const tell = (url: string) => {
      for (const listener of listeners) listener({ event: "link", url });
    };
    tell("klieg://connect?server=https://live.example.com");
    expect(dialogs.getState()).toEqual({
      open: { name: "settings", page: "destinations" },
      server: "https://live.example.com",
    });
    expect(toasts.state.getState()).toEqual([]);
    tell("klieg://room/abc#invite");
    expect(toasts.state.getState()).toMatchObject([{ tone: "bad", text: expect.stringContaining("link") }]);
    following[Symbol.dispose]();
    expect(listeners.size).toBe(0);
  });
});
