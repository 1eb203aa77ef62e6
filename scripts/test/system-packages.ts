import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { installedDebianPackages, mayInstallDebianPackages } from "../debian-packages.ts";
import { isOnPath } from "../program-path.ts";

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
  { debian: "gstreamer1.0-nice", use: "ICE of GStreamer's webrtcbin", elements: ["nicesrc"] },
  {
    debian: "python3-gi",
    use: "signalling for GStreamer's webrtcbin",
    files: ["/usr/lib/python3/dist-packages/gi/__init__.py"],
  },
  {
    debian: "gir1.2-gst-plugins-bad-1.0",
    use: "GStreamer's webrtcbin for Python",
    files: ["/usr/lib/x86_64-linux-gnu/girepository-1.0/GstWebRTC-1.0.typelib"],
  },
  {
    debian: "gir1.2-gst-rtsp-server-1.0",
    use: "RTSP cameras that the studio opens",
    files: ["/usr/lib/x86_64-linux-gnu/girepository-1.0/GstRtspServer-1.0.typelib"],
  },
  { debian: "nginx", use: "edge cache, and the server that the bench compares with", programs: ["nginx"] },
  {
    debian: "libnginx-mod-rtmp",
    use: "RTMP server that our client publishes to",
    files: ["/usr/lib/nginx/modules/ngx_rtmp_module.so"],
  },
  { debian: "coturn", use: "TURN server", programs: ["turnserver"] },
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
  const installed = installedDebianPackages(SYSTEM_PACKAGES.map(({ debian }) => debian));
  const missing = SYSTEM_PACKAGES.filter((wanted) => {
    if (installed?.has(wanted.debian)) return false;
    // Fonts and drivers have no program of their own: only Debian can tell.
    if (wanted.programs === undefined && wanted.files === undefined && wanted.elements === undefined) {
      return installed !== undefined;
    }
    return !isThere(wanted);
  });
  return { missing, installable: mayInstallDebianPackages() };
}

/** Words for whoever must install them: each package with its use, and the command. */
export function missingPackagesInWords(missing: readonly { debian: string; use: string }[]): string {
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

function isThere(wanted: SystemPackage): boolean {
  const programs = wanted.programs?.some(onPath) ?? true;
  const files = wanted.files?.some((file) => existsSync(file)) ?? true;
  const elements =
    wanted.elements?.every((name) => spawnSync("gst-inspect-1.0", ["--exists", name]).status === 0) ?? true;
  return programs && files && elements;
}

function onPath(program: string): boolean {
  // Daemons of Debian's are found by root only; tests start them by whole path.
  return isOnPath(program, `${process.env.PATH ?? ""}${path.delimiter}/usr/sbin`);
}
