import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { isOnPath } from "../program-path.ts";

/** A package of Debian's that the build of the media worker needs, and how to see on any system that it is there. */
export interface BuildPackage {
  readonly debian: string;
  readonly use: string;
  /** Any one of these programs, found on the PATH, will do. */
  readonly programs?: readonly string[];
  /** What pkg-config must know, all of them. */
  readonly modules?: readonly string[];
  /** What must be found where headers are: Debian's flatbuffers tells pkg-config of a library without any. */
  readonly header?: string;
}

export const BUILD_PACKAGES: readonly BuildPackage[] = [
  { debian: "g++", use: "C++ compiler", programs: ["c++", "g++", "clang++"] },
  { debian: "meson", use: "build system", programs: ["meson"] },
  { debian: "ninja-build", use: "build system", programs: ["ninja", "ninja-build"] },
  { debian: "pkg-config", use: "finds libraries", programs: ["pkg-config", "pkgconf"] },
  { debian: "flatbuffers-compiler", use: "compiler of mediasoup's messages", programs: ["flatc"] },
  {
    debian: "libflatbuffers-dev",
    use: "mediasoup's messages",
    header: "flatbuffers/flatbuffers.h",
  },
  { debian: "libuv1-dev", use: "sockets and timers", modules: ["libuv"] },
  { debian: "libssl-dev", use: "DTLS", modules: ["openssl"] },
  { debian: "libsrtp2-dev", use: "SRTP", modules: ["libsrtp2"] },
  {
    debian: "libabsl-dev",
    use: "containers of the bandwidth estimation",
    modules: [
      "absl_flat_hash_map",
      "absl_strings",
      "absl_optional",
      "absl_memory",
      "absl_bad_optional_access",
      "absl_base",
    ],
  },
];

/** Those of {@link BUILD_PACKAGES} that are not there for a process with this environment. */
export function missingBuildPackages(environment: NodeJS.ProcessEnv): BuildPackage[] {
  const has = (program: string) => isOnPath(program, environment.PATH);
  const pkgConfig = ["pkg-config", "pkgconf"].find(has);
  const knows = (modules: readonly string[]) =>
    pkgConfig !== undefined && spawnSync(pkgConfig, ["--exists", ...modules], { env: environment }).status === 0;
  const folders = [
    ...(environment.CPLUS_INCLUDE_PATH ?? "").split(path.delimiter),
    "/usr/include",
    "/usr/local/include",
  ];
  const includes = (header: string) => folders.some((folder) => folder !== "" && existsSync(path.join(folder, header)));
  return BUILD_PACKAGES.filter(
    ({ programs, modules, header }) =>
      !(
        (programs?.some(has) ?? true) &&
        (modules === undefined || knows(modules)) &&
        (header === undefined || includes(header))
      ),
  );
}
