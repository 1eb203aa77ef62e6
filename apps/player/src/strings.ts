import { span } from "./figures.ts";
import type { RealtimeRefusal } from "./playback/playback-state.ts";
import type { FailureReason } from "./playback/recovery.ts";
import type { LayerRank } from "./playback/rendition.ts";

const RANKS = { high: "High", medium: "Medium", low: "Low" } as const;

/** Every word that the player shows or speaks, in one place so that it can be translated as one file. */
export const strings = {
  brand: "Klieg",
  home: {
    label: "Klieg, all channels",
    title: "Live now",
    loading: "Looking for channels…",
    offAirTitle: "Off air",
    emptyTitle: "The stage is dark",
    emptyDetail: "Nobody is live on this server. Start a broadcast and it appears here by itself.",
    studio: "Open the studio here",
    studioApp: "In the Klieg app",
    encoderTitle: "From OBS, or any encoder",
    encoderServer: "Server",
    encoderKey: "Stream key",
    encoderKeyDetail: "Printed in the terminal when Klieg first started.",
    demoTitle: "No camera at hand",
    demoDetail: "A moving picture with sound",
    unreachableTitle: "The server does not answer",
    unreachableDetail: "This page keeps trying.",
    tryNow: "Try now",
    watch: (title: string, channel: string) => `Watch ${title} on ${channel}`,
  },
  watch: {
    live: "Live",
    offAir: "Off air",
    startingSoon: "Starting",
    paused: "On pause",
    preview: "Preview: only you can see this",
    private: "Private: only you can see this",
    liveFor: (ms: number) => {
      const length = spanInWords(ms);
      return length ? `Live for ${length}` : "Just went live";
    },
    playerLabel: (title: string) => `Video player: ${title}`,
    notFoundTitle: "There is nothing here",
    notFoundDetail: "The address may be mistyped.",
    allChannels: "See who is live",
  },
  share: {
    action: "Share",
    title: "Share this broadcast",
    link: "Link",
    embed: "Embed on a page",
    copy: "Copy",
    copied: "Copied",
    system: "Send with…",
    close: "Close",
  },
  /** Until a room's own words are there. */
  room: {
    loading: "Opening the room…",
    failedTitle: "The room could not be opened",
    failedDetail: "The connection to the server may be gone.",
  },
  embed: {
    open: (brand: string) => `Watch on ${brand}`,
  },
  controls: {
    play: "Play",
    pause: "Pause",
    mute: "Mute",
    unmute: "Unmute",
    volume: "Volume",
    volumeValue: (percent: number) => `${percent} %`,
    seek: "Position in the broadcast",
    atLive: "Live",
    behindLive: (words: string) => `${words} behind live`,
    goLive: "Go live",
    latency: (mode: string, words: string) => `${mode}, ${words} behind the broadcast`,
    quality: "Quality",
    automatic: "Auto",
    rank: (rank: LayerRank) => (typeof rank === "number" ? `Layer ${rank}` : RANKS[rank]),
    automaticNow: (name: string) => `now ${name}`,
    statistics: "Statistics",
    shortcuts: "Keyboard shortcuts",
    enterFullScreen: "Full screen",
    leaveFullScreen: "Leave full screen",
    enterPictureInPicture: "Picture in picture",
    leavePictureInPicture: "Leave picture in picture",
    tapForSound: "Tap for sound",
    clickForSound: "Click for sound",
    close: "Close",
    toolbar: "Player controls",
  },
  stage: {
    connecting: "Connecting…",
    soundOnly: "Sound only",
    starting: {
      title: "The broadcast is starting",
      detail: "An encoder is connected; the picture follows in a moment.",
    },
    interrupted: {
      title: "The broadcast paused",
      detail: "Waiting for the encoder. It goes on by itself.",
    },
    offline: {
      title: (channel: string) => `${channel} is off air`,
      detail: "This page starts to play by itself when the broadcast begins.",
    },
    ended: {
      title: "The broadcast has ended",
      detail: (ms: number | null) => {
        const length = ms === null ? null : spanInWords(ms);
        return length
          ? `It was live for ${length}. The next one starts here by itself.`
          : "The next one starts here by itself.";
      },
    },
    missing: {
      title: (channel: string) => `There is no channel “${channel}”`,
      detail: "The address may be mistyped.",
    },
    unreachable: { title: "The server does not answer", detail: "Check the connection. This page keeps trying." },
    ready: "Play",
    blocked: { title: "Play", detail: "The browser waits for a click before it plays." },
    retryingIn: (seconds: number) => (seconds > 0 ? `Trying again in ${seconds} s` : "Trying again…"),
    tryNow: "Try now",
    startAgain: "Start again",
    reloadPage: "Reload the page",
  },
  failures: {
    unreachable: { title: "The stream does not arrive", detail: "The connection to the server broke." },
    forbidden: { title: "This broadcast is not open to everyone", detail: "Ask the channel for access." },
    unsupported: {
      title: "This browser cannot play the broadcast",
      detail: "It has no decoder for the format. A current Chrome, Edge, Firefox or Safari can.",
    },
    undecodable: { title: "The picture could not be decoded", detail: "Starting again usually helps." },
    internal: { title: "The player stumbled", detail: "Starting again usually helps." },
  } satisfies Record<FailureReason, { title: string; detail: string }>,
  modes: {
    title: "Latency",
    realtime: "Real time",
    realtimeDetail: "under 0.5 s",
    lowLatency: "Low latency",
    lowLatencyDetail: "about 1.5 s",
    connecting: "connecting…",
    refused: {
      blocked: "blocked here",
      unsupported: "not in this browser",
      unavailable: "not available now",
      lost: "connection lost",
    } satisfies Record<RealtimeRefusal, string>,
    refusals: {
      blocked: "This network blocks real-time video.",
      unsupported: "This browser cannot play this in real time.",
      unavailable: "Real time is not available now.",
      lost: "The real-time connection was lost.",
    } satisfies Record<RealtimeRefusal, string>,
    instead: "Playing with low latency instead.",
    tryAgain: "Try again",
  },
  announcements: {
    realtime: "In real time",
    lowLatency: "Low latency",
    playing: "Playing live",
    paused: "Paused",
    buffering: "Buffering",
    muted: "Muted",
    unmuted: "Sound on",
    volume: (percent: number) => `Volume ${percent} %`,
    quality: (name: string) => `Quality ${name}`,
    qualityAutomatic: "Quality automatic",
    live: "At the live edge",
    linkCopied: "Copied",
  },
  statistics: {
    title: "Statistics",
    holding: (words: string) => `Holding ${words} behind the live edge.`,
    catchingUp: (rate: string) => `Catching up, playing at ${rate}.`,
    easingBack: (rate: string) => `Building up a cushion, playing at ${rate}.`,
    refilling: "Ran dry; waiting for a cushion.",
    waiting: "Nothing to play; waiting for media.",
    past: "Watching the past; the live edge is not followed.",
    halted: "Paused.",
    native: "The browser plays the stream by itself.",
    widened: (words: string) => `Stalls widened the distance to ${words}.`,
    realtime: "In real time.",
    realtimeBehind: (words: string) => `In real time, ${words} behind the server.`,
    losing: (share: string) => `The network loses ${share} of the packets; most are asked for again.`,
    heldBack: (words: string) => `Freezes: frames are held back for at least ${words}.`,
    latency: "Ingest to screen",
    fromEdge: "From live edge",
    target: "Target",
    buffer: "Buffer ahead",
    bandwidth: "Bandwidth",
    rendition: "Rendition",
    bitrate: "Bit rate",
    codecs: "Codecs",
    frames: "Dropped frames",
    stalls: "Stalls",
    partTarget: "Part target",
    protocol: "Protocol",
    startUp: "Start-up",
    clock: "Clock offset",
    roundTrip: "Round trip",
    loss: "Packet loss",
    jitter: "Jitter",
    jitterBuffer: "Jitter buffer",
    jitterBufferTarget: "Held back at least",
    framesDecoded: "Frames decoded",
    framesDropped: "Frames dropped",
    freezes: "Freezes",
    connection: "Connection",
    relayed: "relayed",
    reconnects: "Reconnects",
    ofFrames: (dropped: string, total: string) => `${dropped} of ${total}`,
    lastMinute: "last minute",
  },
  help: {
    title: "Keyboard shortcuts",
    playPause: "Play or pause",
    mute: "Mute",
    fullScreen: "Full screen",
    pictureInPicture: "Picture in picture",
    seek: "5 seconds back or on",
    volume: "Louder or quieter",
    live: "Go live",
    quality: "Quality",
    mode: "Real time or low latency",
    statistics: "Statistics",
    help: "This list",
    or: "or",
  },
} as const;

/** e.g. `42 min`, `1 h 5 min`; null under a minute. */
function spanInWords(ms: number): string | null {
  const length = span(ms);
  if (!length) return null;
  const { hours, minutes } = length;
  if (hours === 0) return `${minutes} min`;
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
}
