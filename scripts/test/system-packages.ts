import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import path from "node:path";

/** A package of Debian's that tests need, and how to see on any system that what it brings is there. */
export interface SystemPackage {
  readonly debian: string;
  /** What tests do with it. */
  readonly use: string;
  /** Any one of these programs, found on the PATH, will do. */
  readonly programs?: readonly string[];
  /** Any one of these files will do. */
  readonly files?: readonly string[];
  /** GStreamer elements that must all be there. */
  readonly elements?: readonly string[];
}

/** Everything that the interop, browser and chaos tests run that is not Klieg. */
export const SYSTEM_PACKAGES: readonly SystemPackage[] = [
  { debian: "ffmpeg", use: "encoder, transcoder and prober", programs: ["ffmpeg"] },
  {
    debian: "chromium",
    use: "browser that plays the stream",
    programs: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"],
  },
  { debian: "srt-tools", use: "SRT peer (srt-live-transmit)", programs: ["srt-live-transmit"] },
  { debian: "gstreamer1.0-tools", use: "encoder over RTMP and SRT", programs: ["gst-launch-1.0"] },
  { debian: "gstreamer1.0-plugins-base", use: "GStreamer's sources and converters", elements: ["videotestsrc"] },
  { debian: "gstreamer1.0-plugins-good", use: "GStreamer's FLV muxer", elements: ["flvmux"] },
  {
    debian: "gstreamer1.0-plugins-bad",
    use: "GStreamer's rtmp2sink, srtsink and MPEG-TS muxer",
    elements: ["rtmp2sink", "srtsink", "mpegtsmux"],
  },
  { debian: "gstreamer1.0-plugins-ugly", use: "GStreamer's H.264 encoder", elements: ["x264enc"] },
  { debian: "gstreamer1.0-libav", use: "GStreamer's AAC encoder", elements: ["avenc_aac"] },
  { debian: "nginx", use: "edge cache, and the server that the bench compares with", programs: ["nginx"] },
  {
    debian: "libnginx-mod-rtmp",
    use: "RTMP server that our client publishes to",
    files: ["/usr/lib/nginx/modules/ngx_rtmp_module.so"],
  },
  { debian: "openssl", use: "certificates for RTMPS", programs: ["openssl"] },
  { debian: "xvfb", use: "screen for OBS", programs: ["Xvfb"] },
  { debian: "obs-studio", use: "encoder over RTMP and SRT", programs: ["obs"] },
  {
    debian: "obs-plugins",
    use: "OBS's encoders and outputs",
    files: ["/usr/lib/x86_64-linux-gnu/obs-plugins/obs-x264.so"],
  },
  { debian: "libgl1-mesa-dri", use: "OpenGL without a graphics card, for OBS" },
  { debian: "iproute2", use: "network namespaces with loss and delay", programs: ["ip"] },
  { debian: "fonts-inter", use: "typeface of the demo's picture" },
  { debian: "fonts-dejavu-core", use: "typeface where Inter is missing" },
];

/** What stands between this machine and the tests. */
export interface SystemPackageReport {
  readonly missing: readonly SystemPackage[];
  /** Whether this process may install Debian's packages by itself. */
  readonly installable: boolean;
}

export function findMissingPackages(): SystemPackageReport {
  const installed = installedDebianPackages();
  const missing = SYSTEM_PACKAGES.filter((wanted) => {
    if (installed?.has(wanted.debian)) return false;
    // Fonts and drivers have no program of their own: only Debian can tell.
    if (wanted.programs === undefined && wanted.files === undefined && wanted.elements === undefined) {
      return installed !== undefined;
    }
    return !isThere(wanted);
  });
  return { missing, installable: installed !== undefined && process.getuid?.() === 0 && onPath("apt-get") };
}

/** Installs `packages` with apt-get, its output shown. @throws {Error} when apt-get fails. */
export function installDebianPackages(packages: readonly SystemPackage[]): void {
  const apt = (...args: string[]) => {
    const run = spawnSync("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
    if (run.error !== undefined) throw run.error;
    if (run.status !== 0) throw new Error(`apt-get ${args[0]} failed with exit code ${run.status ?? run.signal}`);
  };
  apt("update", "-q");
  apt("install", "-q", "-y", "--no-install-recommends", ...packages.map(({ debian }) => debian));
}

/** Words for whoever must install them: each package with its use, and the command. */
export function missingPackagesInWords(missing: readonly SystemPackage[]): string {
  const width = Math.max(...missing.map(({ debian }) => debian.length));
  const lines = missing.map(({ debian, use }) => `  ${debian.padEnd(width)}  ${use}`);
  const names = missing.map(({ debian }) => debian).join(" ");
  return [
    "These are missing, under their names in Debian:",
    ...lines,
    `On Debian and Ubuntu: sudo apt install ${names}`,
    "Elsewhere, install what brings the same programs.",
  ].join("\n");
}

function installedDebianPackages(): Set<string> | undefined {
  if (!isDebian()) return undefined;
  const names = SYSTEM_PACKAGES.map(({ debian }) => debian);
  // Exits with 1 where one of them is unknown; what it knows, it says all the same: "ii  NAME[:ARCHITECTURE]  …".
  const query = spawnSync("dpkg-query", ["--list", ...names], {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "200" },
  });
  if (query.error !== undefined) return undefined;
  const lines = query.stdout.split("\n").map((line) => line.split(/[\s:]+/));
  return new Set(lines.filter(([status]) => status === "ii").map(([, name]) => name ?? ""));
}

function isDebian(): boolean {
  if (!existsSync("/etc/os-release")) return false;
  return /^ID(_LIKE)?=.*\bdebian\b/m.test(readFileSync("/etc/os-release", "utf8"));
}

function isThere(wanted: SystemPackage): boolean {
  const programs = wanted.programs?.some(onPath) ?? true;
  const files = wanted.files?.some((file) => existsSync(file)) ?? true;
  const elements =
    wanted.elements?.every((name) => spawnSync("gst-inspect-1.0", ["--exists", name]).status === 0) ?? true;
  return programs && files && elements;
}

function onPath(program: string): boolean {
  const extensions = process.platform === "win32" ? [".exe", ".cmd"] : [""];
  // Daemons of Debian's are found by root only; tests start them by whole path.
  const folders = [...(process.env.PATH ?? "").split(path.delimiter), "/usr/sbin"];
  return folders.some((folder) =>
    extensions.some((extension) => {
      try {
        accessSync(path.join(folder, program + extension), constants.X_OK);
        return true;
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return false;
        throw error;
      }
    }),
  );
}
