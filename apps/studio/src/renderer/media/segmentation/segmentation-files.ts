import runtime from "@litertjs/core/wasm/litert_wasm_compat_internal.js?url";
import wasm from "@litertjs/core/wasm/litert_wasm_compat_internal.wasm?url";
import model from "@mediapipe/selfie_segmentation/selfie_segmentation_landscape.tflite?url";

/** Where the page's own server has them: nothing is fetched from anywhere else. */
export const SEGMENTATION_FILES = { runtime, wasm, model } as const;
