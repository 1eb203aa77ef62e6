import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Child, run } from "./child.ts";

/** A screen without a monitor, for as long as a file of tests runs. */
export class Screen implements AsyncDisposable {
  readonly display: string;
  readonly #server: Child;

  private constructor(server: Child, display: string) {
    this.#server = server;
    this.display = display;
  }

  static async open(): Promise<Screen> {
    // It takes a free number by itself and says which.
    const server = new Child("Xvfb", ["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
    try {
      const [, number] = await server.line(/^(\d+)$/);
      return new Screen(server, `:${number}`);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.stop();
  }
}

export interface ObsOptions {
  readonly screen: Screen;
  /** As its user fills in "Server" and "Stream Key" of the service "Custom…". */
  readonly server: string;
  readonly key: string;
  readonly fps: number;
  readonly sampleRate: number;
  readonly channels: 1 | 2;
  readonly bFrames: number;
}

export const OBS_PICTURE = { width: 320, height: 180 } as const;
/** Seconds. */
const CLIP_LENGTH = 10;

/** Debian's OBS, streaming a clip in a loop, with a configuration of its own in a folder of its own. */
export class Obs implements AsyncDisposable {
  readonly #folder: string;
  readonly #child: Child;
  readonly #controlPort: number;

  private constructor(folder: string, child: Child, controlPort: number) {
    this.#folder = folder;
    this.#child = child;
    this.#controlPort = controlPort;
  }

  static async start(options: ObsOptions): Promise<Obs> {
    const folder = await mkdtemp(join(tmpdir(), "klieg-obs-"));
    try {
      const controlPort = await freePort();
      await writeConfiguration(folder, controlPort, options);
      const child = new Child(
        "obs",
        [
          ...[
            "--startstreaming",
            "--minimize-to-tray",
            "--multi",
            "--disable-updater",
            "--disable-missing-files-check",
          ],
          ...["--profile", "Klieg", "--collection", "Klieg", "--scene", "Scene"],
        ],
        {
          group: true,
          stopSignal: "SIGKILL",
          env: {
            DISPLAY: options.screen.display,
            HOME: folder,
            XDG_CONFIG_HOME: folder,
            XDG_CACHE_HOME: folder,
            XDG_RUNTIME_DIR: folder,
            QT_QPA_PLATFORM: "xcb",
            LIBGL_ALWAYS_SOFTWARE: "1",
            // The software renderer's threads: the tests' other programs need the processor too.
            LP_NUM_THREADS: "1",
          },
        },
      );
      return new Obs(folder, child, controlPort);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Its log. */
  get output(): string {
    return this.#child.output;
  }

  /** The first line of its log, past or to come, that matches. */
  line(pattern: RegExp, timeoutMs?: number): Promise<RegExpExecArray> {
    return this.#child.line(pattern, timeoutMs);
  }

  /** Presses "Stop Streaming". */
  async stopStreaming(): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#controlPort}`, "obswebsocket.json");
    const answered = Promise.withResolvers<void>();
    socket.addEventListener("error", () => answered.reject(new Error(`OBS takes no commands:\n${this.output}`)));
    socket.addEventListener("close", () => answered.reject(new Error(`OBS hung up:\n${this.output}`)));
    socket.addEventListener("message", ({ data }) => {
      // obs-websocket 5: 0 Hello, 1 Identify, 2 Identified, 6 Request, 7 RequestResponse.
      const { op, d } = JSON.parse(String(data)) as { op: number; d: { requestStatus?: { result: boolean } } };
      if (op === 0) socket.send(JSON.stringify({ op: 1, d: { rpcVersion: 1, eventSubscriptions: 0 } }));
      else if (op === 2) socket.send(JSON.stringify({ op: 6, d: { requestType: "StopStream", requestId: "stop" } }));
      else if (op === 7 && d.requestStatus?.result) answered.resolve();
      else if (op === 7) answered.reject(new Error(`OBS does not stop: ${String(data)}`));
    });
    try {
      await answered.promise;
    } finally {
      socket.close();
    }
  }

  /** Kills it, and whatever it has started. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function writeConfiguration(folder: string, controlPort: number, options: ObsOptions): Promise<void> {
  const { width, height } = OBS_PICTURE;
  const { fps, sampleRate, channels, bFrames } = options;
  const clip = join(folder, "clip.mp4");
  await run("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", `testsrc2=size=${width}x${height}:rate=${fps}`],
    ...["-f", "lavfi", "-i", `sine=frequency=440:sample_rate=${sampleRate}`, "-t", String(CLIP_LENGTH)],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", clip],
  ]);
  const root = join(folder, "obs-studio");
  const profile = join(root, "basic/profiles/Klieg");
  for (const path of [profile, join(root, "basic/scenes")]) await mkdir(path, { recursive: true });
  const files: Record<string, string> = {
    [join(root, "global.ini")]: ini({
      General: { FirstRun: true, LastVersion: 0x1d000002, EnableAutoUpdates: false },
      Basic: { Profile: "Klieg", ProfileDir: "Klieg", SceneCollection: "Klieg", SceneCollectionFile: "Klieg" },
      // obs-websocket 5.1: later versions have a file of their own.
      OBSWebSocket: { FirstLoad: false, ServerEnabled: true, ServerPort: controlPort, AuthRequired: false },
      BasicWindow: { SysTrayEnabled: true, PreviewEnabled: false },
    }),
    [join(profile, "basic.ini")]: ini({
      General: { Name: "Klieg" },
      Output: { Mode: "Advanced", Reconnect: false },
      AdvOut: { Encoder: "obs_x264", TrackIndex: 1, Track1Bitrate: 96, ApplyServiceSettings: false },
      Video: {
        ...{ BaseCX: width, BaseCY: height, OutputCX: width, OutputCY: height },
        ...{ FPSType: 1, FPSInt: fps },
      },
      Audio: { SampleRate: sampleRate, ChannelSetup: channels === 2 ? "Stereo" : "Mono" },
    }),
    [join(profile, "streamEncoder.json")]: JSON.stringify({
      ...{ rate_control: "CBR", bitrate: 400, keyint_sec: 2, preset: "ultrafast", profile: "main" },
      x264opts: `scenecut=0 bframes=${bFrames}`,
    }),
    [join(profile, "service.json")]: JSON.stringify({
      type: "rtmp_custom",
      settings: { server: options.server, key: options.key, use_auth: false },
    }),
    [join(root, "basic/scenes/Klieg.json")]: JSON.stringify({
      name: "Klieg",
      current_scene: "Scene",
      current_program_scene: "Scene",
      scene_order: [{ name: "Scene" }],
      sources: [
        {
          id: "ffmpeg_source",
          name: "Clip",
          mixers: 255,
          volume: 1,
          settings: { is_local_file: true, local_file: clip, looping: true, hw_decode: false },
        },
        {
          id: "scene",
          name: "Scene",
          settings: {
            id_counter: 1,
            items: [{ id: 1, name: "Clip", visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, align: 5 }],
          },
        },
      ],
    }),
  };
  for (const [path, text] of Object.entries(files)) await writeFile(path, text);
}

function ini(sections: Record<string, Record<string, string | number | boolean>>): string {
  return Object.entries(sections)
    .map(([name, entries]) => [`[${name}]`, ...Object.entries(entries).map(([key, value]) => `${key}=${value}`)])
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
