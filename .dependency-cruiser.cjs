// The layering rule of the project; scripts/layering/check.ts runs it and docs/ARCHITECTURE.md explains it.
// A rule here says who may NOT import whom. Tests are held to it like everything else, unless a rule says so.

const TEST = "[.](test|fuzz|contract)[.]tsx?$|/(fixtures|testing)/";
/** What only developers run: the pages' builds, the player's try-out pages, the packaging of the desktop app. */
const DEVELOPMENT = "^apps/(player|studio)/((build|dev|scripts|packaging)/|[^/]+[.]config[.]ts$)";
/** Given to the desktop app by the program that runs it: installed for its types alone. */
const GIVEN_BY_ELECTRON = "(^|/)node_modules/electron/";
const DOMAIN = [
  "accounts",
  "channels",
  "chat",
  "clips",
  "ingest",
  "insight",
  "library",
  "live",
  "origin",
  "package",
  "recording",
  "rooms",
  "sfu",
  "stream",
  "transcode",
  "vod",
  "watch",
].join("|");

/** Built-in modules through which a program touches the world outside its memory. */
const IO =
  "^(node:)?(fs|fs/promises|net|tls|dgram|dns|dns/promises|http|http2|https|child_process|cluster|worker_threads|sqlite|readline|repl|inspector)$";

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Modules that import each other in a circle can only be understood, tested and loaded together.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "resolvable",
      comment:
        "The import names a module that is not there. (The address of a package's file, which Vite finds by the package's exports, is beyond the check.)",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^@sapphi-red/web-noise-suppressor/rnnoise_simd[.]wasm[?]url$" },
    },
    {
      name: "dependencies-declared",
      comment: "A workspace may import only packages that its own package.json names (tests: the root's too).",
      severity: "error",
      from: { pathNot: [TEST, DEVELOPMENT] },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"], pathNot: "^(packages|apps)/" },
    },
    {
      name: "no-dev-dependencies-at-run-time",
      comment: "What runs in production may not need a package that is only installed for development.",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/", pathNot: [TEST, "^apps/player/src/"] },
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["type-only"],
        pathNot: ["^(packages|apps)/", GIVEN_BY_ELECTRON],
      },
    },

    // Packages: base ← protocol is not allowed either way; media, rtmp and srt stand on both.
    {
      name: "packages-below-apps",
      comment: "packages/* are libraries: nothing in them may know an application, a test bench or a script.",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^(apps|test|bench|scripts)/" },
    },
    {
      name: "base-stands-alone",
      comment: "packages/base imports nothing but Node's built-in modules (its tests may use test libraries).",
      severity: "error",
      from: { path: "^packages/base/", pathNot: TEST },
      to: { pathNot: "^packages/base/", dependencyTypesNot: ["core"] },
    },
    {
      name: "protocol-needs-only-zod",
      comment:
        "packages/protocol is the wire contract: it imports zod and nothing else, so that any end can import it.",
      severity: "error",
      from: { path: "^packages/protocol/", pathNot: TEST },
      to: { pathNot: ["^packages/protocol/", "(^|/)node_modules/zod/"] },
    },
    {
      name: "media-on-base-and-protocol",
      comment: "packages/media may import packages/base and packages/protocol only.",
      severity: "error",
      from: { path: "^packages/media/", pathNot: TEST },
      to: { pathNot: "^packages/(media|base|protocol)/", dependencyTypesNot: ["core"] },
    },
    {
      name: "media-does-no-io",
      comment: "packages/media is pure bytes: no files, sockets, processes or threads.",
      severity: "error",
      from: { path: "^packages/media/", pathNot: TEST },
      to: { path: IO, dependencyTypes: ["core"] },
    },
    {
      name: "wire-protocols-on-base-and-protocol",
      comment:
        "packages/rtmp and packages/srt move bytes and messages: they may import packages/base and packages/protocol only.",
      severity: "error",
      from: { path: "^packages/(rtmp|srt)/", pathNot: TEST },
      to: { pathNot: ["^packages/$1/", "^packages/(base|protocol)/"], dependencyTypesNot: ["core"] },
    },
    {
      name: "ffmpeg-on-base-and-media",
      comment:
        "packages/ffmpeg runs a program and reads what it makes: it may import packages/base and packages/media only.",
      severity: "error",
      from: { path: "^packages/ffmpeg/", pathNot: TEST },
      to: { path: "^packages/", pathNot: "^packages/(ffmpeg|base|media)/" },
    },
    {
      name: "room-on-protocol",
      comment:
        "packages/room is what a browser takes part in rooms by: of this repository it may import types of packages/protocol, and nothing of Node.js.",
      severity: "error",
      from: { path: "^packages/room/", pathNot: TEST },
      to: { path: ["^packages/", "^node:", IO], pathNot: "^packages/(room|protocol)/" },
    },
    {
      name: "room-imports-types-of-the-protocol",
      comment: "zod stays out of what viewers and guests download.",
      severity: "error",
      from: { path: "^packages/room/", pathNot: TEST },
      to: { path: "^packages/protocol/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "package-by-its-front-door",
      comment: "Import a package as @klieg/NAME, not a file inside it.",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      to: {
        path: "^packages/([^/]+)/",
        pathNot: [
          "^packages/$2/",
          "^packages/[^/]+/src/index[.]ts$",
          "^packages/base/src/fuzz",
          "^packages/(ffmpeg|room|srt)/src/testing/index[.]ts$",
        ],
      },
    },

    {
      name: "testing-for-tests",
      comment: "What packages have for tests is not for production.",
      severity: "error",
      from: { pathNot: [TEST, "^test/"] },
      to: { path: "^packages/(ffmpeg|room|srt)/src/testing/" },
    },

    // Applications.
    {
      name: "apps-apart",
      comment: "Applications meet over the wire, never by import.",
      severity: "error",
      from: { path: "^apps/([^/]+)/" },
      to: { path: "^apps/", pathNot: "^apps/$1/" },
    },
    {
      name: "apps-below-tests",
      comment: "An application does not import the test benches or scripts.",
      severity: "error",
      from: { path: "^apps/" },
      to: { path: "^(test|bench|scripts)/" },
    },
    {
      name: "player-speaks-the-protocol",
      comment:
        "The player may import packages/room and types of packages/protocol, and nothing else of this repository: everything it imports is downloaded by viewers.",
      severity: "error",
      from: { path: "^apps/player/", pathNot: TEST },
      to: { path: "^packages/", pathNot: "^packages/(protocol|room)/" },
    },
    {
      name: "player-imports-types-only",
      comment: "From packages/protocol the player imports types only (import type): zod stays out of the download.",
      severity: "error",
      from: { path: "^apps/player/", pathNot: TEST },
      to: { path: "^packages/protocol/", dependencyTypesNot: ["type-only"] },
    },

    // The backend, from the bottom up: ports ← domain ← http ← compose ← main, with adapters beside the domain.
    {
      name: "ports-at-the-bottom",
      comment: "A port is a contract: it may import other ports and packages/* only.",
      severity: "error",
      from: { path: "^apps/backend/src/ports/" },
      to: { path: "^apps/backend/src/", pathNot: "^apps/backend/src/ports/" },
    },
    {
      name: "adapters-know-ports-only",
      comment: "An adapter may import ports and packages/*, not the domain that uses it, nor another adapter's folder.",
      severity: "error",
      from: { path: "^apps/backend/src/adapters/([^/]+)/" },
      to: { path: "^apps/backend/src/", pathNot: ["^apps/backend/src/ports/", "^apps/backend/src/adapters/$1/"] },
    },
    {
      name: "domain-knows-ports-only",
      comment:
        "The domain may import ports, packages/* and the rest of the domain; HTTP, wiring and adapters are not its business.",
      severity: "error",
      from: { path: `^apps/backend/src/(${DOMAIN})/` },
      to: { path: "^apps/backend/src/http/|^apps/backend/src/(main|compose|config)[.]ts$" },
    },
    {
      name: "http-without-adapters",
      comment: "HTTP routes are thin and speak to the domain; compose.ts hands them what they need.",
      severity: "error",
      from: { path: "^apps/backend/src/http/", pathNot: TEST },
      to: { path: "^apps/backend/src/adapters/|^apps/backend/src/(main|compose)[.]ts$" },
    },
    {
      name: "only-compose-picks-adapters",
      comment: "Only compose.ts may import adapters; tests may use a real one.",
      severity: "error",
      from: {
        path: "^apps/backend/",
        pathNot: ["^apps/backend/src/adapters/", "^apps/backend/src/compose[.]ts$", TEST],
      },
      to: { path: "^apps/backend/src/adapters/" },
    },
    {
      name: "only-compose-wires-http",
      comment: "Only compose.ts may import HTTP, and the banner that it prints.",
      severity: "error",
      from: {
        path: "^apps/backend/",
        pathNot: ["^apps/backend/src/http/", "^apps/backend/src/(compose|banner)[.]ts$"],
      },
      to: { path: "^apps/backend/src/http/" },
    },
    {
      name: "only-main-composes",
      comment: "Only main.ts (and compose.ts's own test) may import compose.ts.",
      severity: "error",
      from: { path: "^apps/backend/", pathNot: "^apps/backend/src/(main|compose[.]test)[.]ts$" },
      to: { path: "^apps/backend/src/compose[.]ts$" },
    },
    {
      name: "nobody-imports-main",
      comment: "main.ts starts a process when it is loaded.",
      severity: "error",
      from: {},
      to: { path: "^apps/backend/src/main[.]ts$|^apps/studio/src/(web|main)/main[.]ts$" },
    },

    // The studio: document ← engine and renderer, which meet over the wire; main, preload and web carry what they say.
    {
      name: "electron-in-main-and-preload-only",
      comment: "The studio runs in browsers and headless boxes too: only main/ and preload/ may know Electron.",
      severity: "error",
      from: { path: "^(packages|apps)/", pathNot: "^apps/studio/(src/(main|preload)|packaging)/" },
      to: { path: `${GIVEN_BY_ELECTRON}|(^|/)node_modules/electron-updater/` },
    },
    {
      name: "studio-document-below-all",
      comment: "The show's document knows nothing of who edits, draws or keeps it.",
      severity: "error",
      from: { path: "^apps/studio/src/document/" },
      to: { path: "^apps/studio/src/", pathNot: "^apps/studio/src/document/" },
    },
    {
      name: "studio-guests-without-a-host",
      comment:
        "The door to the guests' room serves the engine and the page that is alone: it knows neither, and nothing of Node.js.",
      severity: "error",
      from: { path: "^apps/studio/src/guests/", pathNot: TEST },
      to: { path: ["^apps/studio/src/", "(^|/)node_modules/ws/", IO], pathNot: "^apps/studio/src/guests/" },
    },
    {
      name: "studio-engine-alone",
      comment:
        "The engine may run without a window and without a page of its own: it imports the document, the guests' door and packages/*.",
      severity: "error",
      from: { path: "^apps/studio/src/engine/" },
      to: { path: "^apps/studio/src/", pathNot: "^apps/studio/src/(document|guests|engine)/" },
    },
    {
      name: "studio-renderer-speaks-the-contract",
      comment: "The renderer runs in a browser: it speaks to the engine by packages/protocol, whoever carries it.",
      severity: "error",
      from: { path: "^apps/studio/src/renderer/" },
      to: { path: "^apps/studio/src/", pathNot: "^apps/studio/src/(document|guests|renderer)/" },
    },
    {
      name: "studio-page-without-node",
      comment:
        "What runs in the studio's page knows no packages that open sockets or start programs, and nothing of Node.js.",
      severity: "error",
      from: { path: "^apps/studio/src/(document|guests|renderer)/", pathNot: TEST },
      to: { path: ["^packages/(ffmpeg|rtmp|srt)/", "(^|/)node_modules/ws/", IO] },
    },
    {
      name: "studio-hosts-apart",
      comment:
        "The capture box (web) and the desktop app (main) each carry what engine and page say, and do not know each other; of the page they know its words.",
      severity: "error",
      from: { path: "^apps/studio/src/(web|main|preload)/", pathNot: TEST },
      to: {
        path: "^apps/studio/src/(renderer|web|main|preload)/",
        pathNot: "^apps/studio/src/($1/|preload/channels[.]ts$|renderer/strings/)",
      },
    },
    {
      name: "studio-preload-is-small",
      comment: "A sandboxed preload script is one small file: it imports types, and what is beside it.",
      severity: "error",
      from: { path: "^apps/studio/src/preload/" },
      to: { pathNot: ["^apps/studio/src/preload/", GIVEN_BY_ELECTRON], dependencyTypesNot: ["type-only"] },
    },
    {
      name: "studio-main-without-engine",
      comment: "The engine has a process of its own: of main/ only that process's first file may import it.",
      severity: "error",
      from: { path: "^apps/studio/src/main/", pathNot: ["^apps/studio/src/main/engine-process[.]ts$", TEST] },
      to: { path: "^apps/studio/src/engine/", dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    parser: "tsc",
    // Types count: a domain that only imports an adapter's types depends on it all the same.
    tsPreCompilationDeps: true,
    combinedDependencies: false,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|coverage|[.]turbo)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".tsx", ".js", ".mjs", ".cjs", ".json"],
    },
  },
};
