import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkLayering, type LayeringReport } from "./check.ts";

/** Each row plants one import in a made-up repository: [importing module, statement, rules that must refuse it]. */
const PLANTED: readonly (readonly [from: string, statement: string, ...rules: string[]])[] = [
  // What the design allows.
  ["apps/backend/src/main.ts", 'import "./compose.ts";'],
  [
    "apps/backend/src/compose.ts",
    'import "./adapters/sqlite/store.ts"; import "./http/door.ts"; import "./live/live.ts";',
  ],
  ["apps/backend/src/http/route.ts", 'import "../live/live.ts";'],
  ["apps/backend/src/live/uses-ports.ts", 'import "../ports/store.ts"; import "@klieg/media"; import "node:path";'],
  ["apps/backend/src/live/uses-stream.ts", 'import "../stream/stream.ts";'],
  ["apps/backend/src/adapters/sqlite/store.ts", 'import "../../ports/store.ts"; import "./schema.ts";'],
  ["packages/media/src/uses-base.ts", 'import "@klieg/base"; import "@klieg/protocol";'],
  ["packages/protocol/src/schema.ts", 'import { z } from "zod"; export const schema = z.string();'],
  ["packages/rtmp/src/uses-base.ts", 'import "@klieg/base"; import "node:net";'],
  ["packages/room/src/types.ts", 'import type { Contract } from "@klieg/protocol"; export type Mine = Contract;'],
  ["apps/player/src/takes-part.ts", 'import "@klieg/room";'],
  ["apps/player/src/types.ts", 'import type { Contract } from "@klieg/protocol"; export type Mine = Contract;'],

  ["apps/backend/src/stream/stream.test.ts", 'import "../adapters/sqlite/store.ts";'],
  ["packages/media/src/testing/sample.ts", 'import "node:child_process";'],
  ["apps/studio/src/web/main.ts", 'import "../engine/studio-engine.ts"; import "../served/policy.ts";'],
  ["apps/studio/src/engine/studio-engine.ts", 'import "../document/show.ts"; import "@klieg/media"; import "node:fs";'],
  ["apps/studio/src/renderer/app.ts", 'import "../document/show.ts"; import "@klieg/protocol";'],

  // What it does not.
  ["apps/studio/src/renderer/deep.ts", 'import "../engine/studio-engine.ts";', "studio-renderer-speaks-the-contract"],
  ["apps/studio/src/renderer/files.ts", 'import "node:fs";', "studio-page-without-node"],
  ["apps/studio/src/engine/record/asks.ts", 'import "../../renderer/app.ts";', "studio-engine-alone"],
  ["apps/studio/src/document/reads.ts", 'import "node:fs/promises";', "studio-page-without-node"],
  ["apps/studio/src/web/borrows.ts", 'import "../main/window.ts";', "studio-hosts-apart"],
  ["apps/backend/src/stream/picks-adapter.ts", 'import "../adapters/sqlite/store.ts";', "only-compose-picks-adapters"],
  [
    "apps/backend/src/stream/adapter-type.ts",
    'import type { Store } from "../adapters/sqlite/store.ts"; export type Mine = Store;',
    "only-compose-picks-adapters",
  ],
  [
    "apps/backend/src/ingest/rtmp/deep.ts",
    'import "../../http/door.ts";',
    "domain-knows-ports-only",
    "only-compose-wires-http",
  ],
  [
    "apps/backend/src/origin/late.ts",
    'export const late = () => import("../adapters/sqlite/store.ts");',
    "only-compose-picks-adapters",
  ],
  [
    "apps/backend/src/live/inline-type.ts",
    'export type T = import("../adapters/sqlite/store.ts").Store;',
    "only-compose-picks-adapters",
  ],
  ["apps/backend/src/live/re-export.ts", 'export * from "../adapters/sqlite/store.ts";', "only-compose-picks-adapters"],
  [
    "apps/backend/src/live/with-using.ts",
    'export async function f() { await using x = new AsyncDisposableStack(); void x; }\nimport "../config.ts";',
    "domain-knows-ports-only",
  ],
  [
    "apps/backend/src/stream/door.test.ts",
    'import "../http/door.ts";',
    "domain-knows-ports-only",
    "only-compose-wires-http",
  ],
  ["apps/backend/src/adapters/disk/uses-domain.ts", 'import "../../stream/stream.ts";', "adapters-know-ports-only"],
  ["apps/backend/src/adapters/disk/uses-other.ts", 'import "../sqlite/schema.ts";', "adapters-know-ports-only"],
  [
    "apps/backend/src/http/uses-adapter.ts",
    'import "../adapters/sqlite/store.ts";',
    "http-without-adapters",
    "only-compose-picks-adapters",
  ],
  ["apps/backend/src/http/uses-compose.ts", 'import "../compose.ts";', "http-without-adapters", "only-main-composes"],
  ["apps/backend/src/ports/uses-domain.ts", 'import "../stream/stream.ts";', "ports-at-the-bottom"],
  ["apps/backend/src/channels/starts-all.ts", 'import "../main.ts";', "domain-knows-ports-only", "nobody-imports-main"],
  ["packages/base/src/uses-protocol.ts", 'import "@klieg/protocol";', "base-stands-alone"],
  ["packages/base/src/uses-package.ts", 'import "zod";', "base-stands-alone", "dependencies-declared"],
  ["packages/protocol/src/uses-base.ts", 'import "@klieg/base";', "protocol-needs-only-zod"],
  ["packages/protocol/src/uses-node.ts", 'import "node:fs";', "protocol-needs-only-zod"],
  ["packages/media/src/reads-files.ts", 'import "node:fs/promises";', "media-does-no-io"],
  ["packages/media/src/uses-rtmp.ts", 'import "@klieg/rtmp";', "media-on-base-and-protocol"],
  ["packages/srt/src/uses-media.ts", 'import "@klieg/media";', "wire-protocols-on-base-and-protocol"],
  ["packages/ffmpeg/src/uses-srt.ts", 'import "@klieg/srt";', "ffmpeg-on-base-and-media"],
  [
    "packages/media/src/side-door.ts",
    'import "../../ffmpeg/src/testing/index.ts";',
    "testing-for-tests",
    "media-on-base-and-protocol",
  ],
  [
    "packages/srt/src/uses-app.ts",
    'import "../../../apps/backend/src/stream/stream.ts";',
    "packages-below-apps",
    "wire-protocols-on-base-and-protocol",
  ],
  ["packages/room/src/uses-media.ts", 'import "@klieg/media";', "room-on-protocol"],
  ["packages/room/src/reads-files.ts", 'import "node:fs";', "room-on-protocol"],
  [
    "packages/room/src/value.ts",
    'import { schema } from "@klieg/protocol"; export const mine = schema;',
    "room-imports-types-of-the-protocol",
  ],
  ["packages/rtmp/src/side-door.ts", 'import "../../base/src/clock.ts";', "package-by-its-front-door"],
  [
    "apps/player/src/value.ts",
    'import { schema } from "@klieg/protocol"; export const mine = schema;',
    "player-imports-types-only",
  ],
  ["apps/player/src/media.ts", 'import "@klieg/media";', "player-speaks-the-protocol"],
  ["apps/player/src/backend.ts", 'import "../../backend/src/stream/stream.ts";', "apps-apart"],
  ["apps/backend/src/stream/circle-a.ts", 'import "./circle-b.ts";', "no-cycles"],
  ["apps/backend/src/stream/nowhere.ts", 'import "./missing.ts";', "resolvable"],
  ["apps/backend/src/stream/undeclared.ts", 'import "zod";', "dependencies-declared"],
];

const MODULES: Readonly<Record<string, string>> = {
  "apps/backend/src/config.ts": "export {};",
  "apps/backend/src/http/door.ts": "export {};",
  "apps/backend/src/live/live.ts": "export {};",
  "apps/backend/src/stream/stream.ts": "export {};",
  "apps/backend/src/stream/circle-b.ts": 'import "./circle-a.ts";',
  "apps/backend/src/ports/store.ts": "export {};",
  "apps/backend/src/adapters/sqlite/schema.ts": "export {};",
  "apps/studio/src/document/show.ts": "export {};",
  "apps/studio/src/main/window.ts": "export {};",
  "apps/studio/src/served/policy.ts": "export {};",
  "packages/base/src/index.ts": "export {};",
  "packages/base/src/clock.ts": "export {};",
  "packages/media/src/index.ts": "export {};",
  "packages/ffmpeg/src/testing/index.ts": "export {};",
  "packages/room/src/index.ts": "export {};",
  "packages/rtmp/src/index.ts": "export {};",
  "packages/srt/src/index.ts": "export {};",
  "packages/protocol/src/index.ts": 'export { schema } from "./schema.ts"; export type Contract = string;',
};

describe("the layering rule", () => {
  let root: string;
  let report: LayeringReport;

  const write = (file: string, text: string) => {
    mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(root, file), `${text}\n`);
  };

  beforeAll(async () => {
    root = mkdtempSync(path.join(tmpdir(), "klieg-layering-"));
    for (const [file, text] of Object.entries(MODULES)) write(file, text);
    for (const [file, statement] of PLANTED) write(file, statement);
    for (const name of ["base", "protocol", "media", "room", "rtmp", "srt"]) {
      const manifest = {
        name: `@klieg/${name}`,
        exports: { ".": "./src/index.ts" },
        dependencies: name === "protocol" ? { zod: "*" } : {},
      };
      write(`packages/${name}/package.json`, JSON.stringify(manifest));
      mkdirSync(path.join(root, "node_modules/@klieg"), { recursive: true });
      symlinkSync(path.join(root, "packages", name), path.join(root, "node_modules/@klieg", name));
    }
    for (const name of ["backend", "player", "studio"])
      write(`apps/${name}/package.json`, JSON.stringify({ name: `@klieg/${name}` }));
    write("package.json", JSON.stringify({ name: "planted" }));
    write("node_modules/zod/package.json", JSON.stringify({ name: "zod", exports: "./index.js" }));
    write("node_modules/zod/index.js", "export const z = {};");
    report = await checkLayering(root, ["packages", "apps"]);
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test("sees every planted module", () => {
    expect(report.modules).toBeGreaterThanOrEqual(
      new Set([...Object.keys(MODULES), ...PLANTED.map(([from]) => from)]).size,
    );
  });

  test.each(PLANTED)("%s: %s", (from, _statement, ...rules) => {
    const broken = report.violations.filter((violation) => violation.from === from).map(({ rule }) => rule);
    expect([...new Set(broken)].sort()).toEqual([...rules].sort());
  });
});
