import rnnoiseAddress from "@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url";

let module: Promise<WebAssembly.Module> | undefined;

/** RNNoise, compiled; loaded when it is first asked for. @throws Error where it cannot be; the next time it is tried again. */
export function loadRnnoise(): Promise<WebAssembly.Module> {
  module ??= compile().catch((error: unknown) => {
    module = undefined;
    throw error;
  });
  return module;
}

async function compile(): Promise<WebAssembly.Module> {
  const response = await fetch(rnnoiseAddress);
  if (!response.ok) throw new Error(`noise suppression was answered with ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
