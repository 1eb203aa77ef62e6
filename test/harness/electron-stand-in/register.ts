import { registerHooks } from "node:module";

// `node --import register.ts APP`: whoever asks for Electron gets its stand-in.
const standIn = new URL("electron.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, nextResolve) =>
    specifier === "electron" ? { url: standIn, shortCircuit: true } : nextResolve(specifier, context),
});
