import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(js|css|html|svg|webmanifest)$/;

/** Writes `.br` and `.gz` beside every text file, so that the origin never compresses a file of the player at request time. */
export function precompress(): Plugin {
  return {
    name: "klieg:precompress",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      async handler(_options, bundle) {
        await Promise.all(
          Object.values(bundle)
            .filter((output) => TEXT.test(output.fileName))
            .map(async (output) => {
              const bytes = Buffer.from(output.type === "chunk" ? output.code : output.source);
              const [br, gz] = await Promise.all([
                promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
                promisify(gzip)(bytes, { level: 9 }),
              ]);
              this.emitFile({ type: "asset", fileName: `${output.fileName}.br`, source: br });
              this.emitFile({ type: "asset", fileName: `${output.fileName}.gz`, source: gz });
            }),
        );
      },
    },
  };
}
