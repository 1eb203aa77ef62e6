import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AppFiles } from "./app-files.ts";

let folder: string;
let files: AppFiles;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "klieg-app-files-"));
  await mkdir(path.join(folder, "page/assets"), { recursive: true });
  await writeFile(path.join(folder, "secret.json"), "secret");
  await writeFile(path.join(folder, "film"), "0123456789");
  await writeFile(path.join(folder, "page/index.html"), "<title>Klieg</title>");
  await writeFile(path.join(folder, "page/assets/index-a1B2.js"), "export {};");
  files = new AppFiles({
    page: path.join(folder, "page"),
    asset: async (id) => (id === "film-1" ? { path: path.join(folder, "film"), mediaType: "video/mp4" } : undefined),
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const get = (address: string, headers: Record<string, string> = {}, method = "GET") =>
  files.answer(new Request(address, { headers, method }));

describe("what the app's own scheme answers (STU9)", () => {
  test("the page, with a policy that lets nothing else in (SEC5)", async () => {
    const answer = await get("klieg://studio/");
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("<title>Klieg</title>");
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/'unsafe-eval'|script-src[^;]*('unsafe-inline'|https?:|\*)/);
  });

  test("its bundle, and assets of the show beside it", async () => {
    const script = await get("klieg://studio/assets/index-a1B2.js?v=1");
    expect([script.status, script.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
    const film = await get("klieg://studio/assets/film-1");
    expect([film.headers.get("content-type"), await film.text()]).toEqual(["video/mp4", "0123456789"]);
    expect((await get("klieg://studio/assets/film-2")).status).toBe(404);
  });

  test("pieces of a film, as a player asks for them", async () => {
    const piece = async (range: string) => {
      const answer = await get("klieg://studio/assets/film-1", { range });
      return [answer.status, answer.headers.get("content-range"), await answer.text()];
    };
    expect(await piece("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await piece("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await piece("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await piece("bytes=8-100")).toEqual([206, "bytes 8-9/10", "89"]);
    expect(await piece("bytes=10-")).toEqual([416, "bytes */10", ""]);
    expect(await piece("bytes=4-2")).toEqual([416, "bytes */10", ""]);
    expect(await piece("bytes=0-1,4-5")).toEqual([200, null, "0123456789"]);
    const head = await get("klieg://studio/assets/film-1", {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
  });

  test("nothing outside its folder, whatever the address (SEC5)", async () => {
    for (const address of [
      "klieg://studio/..%2fsecret.json",
      "klieg://studio/%2e%2e/secret.json",
      "klieg://studio/assets/..%5c..%5csecret.json",
      "klieg://studio/assets/%00.js",
      "klieg://studio/%ff",
      "klieg://studio/.env.json",
      "klieg://studio/C%3A/secret.json",
    ]) {
      expect([400, 404], address).toContain((await get(address)).status);
    }
    expect((await get("klieg://studio/", {}, "POST")).status).toBe(405);
    expect((await get("klieg://other/index.html")).status).toBe(400);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (rest) => {
        const url = URL.parse(`klieg://studio/${rest}`);
        if (url === null) return;
        const answer = await get(url.href);
        if (answer.status < 300) expect(await answer.text()).toBe("<title>Klieg</title>");
      }),
      { numRuns: 200 },
    );
  });
});
