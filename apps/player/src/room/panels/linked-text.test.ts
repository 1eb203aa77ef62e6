import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linkedText } from "./linked-text.ts";

const links = (text: string) => linkedText(text).flatMap(({ href }) => href ?? []);

describe("addresses in messages (RTC2)", () => {
  it.each([
    ["See https://example.org/slides.", ["https://example.org/slides"]],
    ["(http://a.example/x?y=1#z)", ["http://a.example/x?y=1#z"]],
    ["https://one.example https://two.example!", ["https://one.example", "https://two.example"]],
    ["javascript:alert(1) data:text/html,x ftp://x", []],
    ["https://", []],
    ["no address", []],
  ])("%s", (text, expected) => expect(links(text)).toEqual(expected));

  it("change nothing of what was written, and lead nowhere but to the web", () => {
    const part = fc.oneof(fc.string(), fc.constantFrom("https://", "http://a.b/", "javascript:", " ", ")", '"'));
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join("");
        const runs = linkedText(text);
        expect(runs.map((run) => run.text).join("")).toBe(text);
        for (const { href } of runs) if (href !== null) expect(new URL(href).protocol).toMatch(/^https?:$/);
      }),
    );
  });
});
