import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { cmafHls } from "./build/cmaf-hls.ts";
import { precompress } from "./build/precompress.ts";
import { preloadEngine } from "./build/preload-engine.ts";

const backend = process.env.KLIEG_BACKEND ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  plugins: [react(), cmafHls(), preloadEngine(), precompress()],
  build: {
    target: "es2023",
    // A page under a strict content security policy may not load data: URLs.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    license: true,
  },
  server: { proxy: { "/v1": { target: backend, changeOrigin: false, ws: true } } },
});
