import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { pageLicenses } from "./packaging/page-licenses.ts";

export default defineConfig({
  // The page is served at an address of its own by the app, a capture box or the backend.
  base: "./",
  plugins: [react(), pageLicenses()],
  worker: { format: "es" },
  build: {
    target: "es2024",
    // A page under a strict content security policy may not load data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: false,
    license: true,
  },
});
