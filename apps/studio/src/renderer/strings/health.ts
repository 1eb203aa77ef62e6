import { bitrate, count, megabits, percent, span, tenths } from "./figures.ts";

/** What the health of a show is told in. */
export const healthStrings = {
  panel: "Health",
  last: (ms: number) => `Last ${span(ms)}`,
  lights: { idle: "Off air", good: "Healthy", warn: "Attention", bad: "Trouble" },
  lightLabel: (light: string, headline: string) => `Health: ${light === headline ? light : `${light}. ${headline}`}`,
  idle: "Off air",
  starting: "Connecting",
  good: "All is well",
  /** The sentence beneath the figures while nothing is wrong. */
  encoding: (label: string, frameRate: number, ms: number) =>
    `Encoding on the ${label} at ${count(frameRate)} fps, ${tenths(ms)} ms a frame.`,
  encodingElsewhere: (label: string, frameRate: number) => `Encoding on the ${label} at ${count(frameRate)} fps.`,
  serverReceives: (bits: number, frameRate: number) =>
    `The server receives ${bitrate(bits)} at ${count(frameRate)} fps.`,
  renditions: (names: readonly string[]) => `Live in ${names.join(", ")}.`,
  idleDetail: "Figures appear here as soon as you are on air.",
  figures: {
    bitrate: "Mb/s",
    bitrateOf: (asked: number) => `Mb/s of ${megabits(asked)}`,
    rtt: "ms round trip",
    loss: "lost",
    lossResent: "lost, all resent",
    dropped: "frames dropped",
    none: "–",
  },
  picture: {
    gpu: "GPU",
    cpu: "CPU",
    of: (width: number, height: number, frameRate: number) => `${width} × ${height} at ${count(frameRate)} fps`,
  },
  more: "All figures",
  graphs: {
    bitrate: "Bitrate sent, and asked of the encoder",
    rtt: "Round trip",
    encode: "Encoding time",
    render: "Frames drawn",
    dropped: "Frames dropped",
    viewers: "Viewers",
    range: (name: string, from: string, to: string) => `${name}, between ${from} and ${to} over the last five minutes`,
    nothing: (name: string) => `${name}, nothing measured yet`,
  },
  table: {
    studio: "This computer",
    render: "Drawn",
    renderValue: (rate: number, wanted: number, ms: number) =>
      `${tenths(rate)} of ${count(wanted)} fps, ${tenths(ms)} ms`,
    encoder: "Encoder",
    queue: "Encoder queue",
    queueValue: (frames: number, ms: number) => `${count(frames)} waiting, ${tenths(ms)} ms a frame`,
    dropped: "Dropped",
    droppedValue: (render: number, encode: number, link: number, network: number) =>
      `${count(render)} drawing · ${count(encode)} encoding · ${count(link)} link · ${count(network)} network`,
    rate: "Bitrate",
    rateValue: (wanted: number, made: number) => `${bitrate(wanted)} asked, ${bitrate(made)} made`,
    sent: "Sent",
    network: "Network",
    networkValue: (rtt: number | undefined, loss: number | undefined, resent: number | undefined) =>
      [
        rtt === undefined ? "" : `${count(rtt)} ms`,
        loss === undefined ? "" : `${percent(loss)} lost`,
        resent === undefined ? "" : `${count(resent)} resent`,
      ]
        .filter((part) => part !== "")
        .join(" · "),
    buffer: "Send buffer",
    bufferValue: (ms: number) => `${count(ms)} ms`,
    server: "Server",
    received: "Received",
    receivedValue: (bits: number, rate: number) => `${bitrate(bits)}, ${tenths(rate)} fps`,
    keyframes: "Keyframes",
    keyframesValue: (ms: number) => `every ${tenths(ms / 1000)} s`,
    renditions: "Renditions",
    rendition: (name: string, state: string) => (state === "live" ? name : `${name} (${state})`),
    viewers: "Viewers",
    unknown: "–",
  },
  actions: {
    retry: "Try now",
    enterKey: "Enter key",
    videoSettings: "Video settings",
    recordingSettings: "Recording settings",
    showSource: "Show source",
    record: "Record again",
  },
  alerts: {
    unlinked: {
      title: "The studio's engine does not answer",
      onAir: "The engine goes on sending what it last had. This page reconnects by itself.",
      offAir: "This page reconnects by itself. Where it does not, start the studio again.",
    },
    held: {
      title: "Viewers see a still picture",
      advice: "The page that makes the program is gone. Open the studio again and it goes on.",
    },
    noFigures: {
      title: (ms: number) => `No figures for ${span(ms)}`,
      advice: "The engine has not told how sending does. If this stays, look at the stream in a player.",
    },
    failed: {
      title: (name: string) => `${name} does not get your show`,
      noReason: "It gave no reason. Check its address and key, then try again.",
    },
    connecting: (name: string, ms: number | undefined) =>
      ms === undefined || ms <= 0
        ? `${name}: trying to connect`
        : `${name} was not reached: next attempt in ${span(ms)}`,
    reconnecting: {
      title: (name: string, ms: number | undefined) =>
        ms === undefined || ms <= 0 ? `${name}: reconnecting` : `${name}: next attempt in ${span(ms)}`,
      advice: (reason: string, attempt: number) =>
        `${reason === "" ? "The connection was lost." : reason} ${attempt <= 1 ? "It reconnects by itself." : `Attempt ${attempt}.`}`,
    },
    lowered: {
      title: (full: number, now: number) => `Upload can't keep ${bitrate(full)}: lowered to ${megabits(now)}`,
      recovering: (full: number, now: number) => `Upload recovers: ${megabits(now)} of ${bitrate(full)}`,
      queue:
        "The connection takes less than it did. Viewers see a softer picture, not a pause. It goes up again by itself.",
      loss: "The network loses packets. On Wi-Fi, go nearer to the router or take a cable.",
      drops: "Frames had to be left out. Stop other uploads on this network.",
      busyTitle: (full: number, now: number) =>
        `This computer can't keep sending ${bitrate(full)}: lowered to ${megabits(now)}`,
      busy: "It has too much to do, so that sending has to wait; the upload may be fine. Close other programs, or choose a smaller size.",
      probing: "Nothing to do: it is tried little by little.",
      long: (ms: number) =>
        `It has been so for ${span(ms)}. Stop other uploads, take a cable, or choose a lower bitrate before the next show.`,
    },
    notAdaptive: {
      title: (full: number) => `Upload can't keep ${bitrate(full)}`,
      advice: "Frames are left out. Let the bitrate follow the network, or choose a lower one.",
    },
    networkDrops: {
      title: (frames: number) => `${count(frames)} ${frames === 1 ? "frame" : "frames"} lost to the network`,
      advice: "Viewers saw a jump. Stop other uploads on this network, or take a cable.",
    },
    loss: {
      title: (loss: number) => `The network loses ${percent(loss)} of packets`,
      resent: "They are sent again in time so far. On Wi-Fi, go nearer to the router or take a cable.",
      bad: "More than can be made good. Take a cable, or another network.",
    },
    rtt: {
      title: (ms: number) => `The server is ${count(ms)} ms away`,
      advice: "Something between here and there is slow: a VPN, a busy router. Sending goes on.",
    },
    buffer: {
      title: (ms: number) => `${tenths(ms / 1000)} s wait to be sent`,
      advice: "The network takes less than is made. Viewers fall behind by as much.",
    },
    noWebgl: {
      title: "Pictures cannot be composed here",
      advice:
        "The browser has no WebGL 2. Turn on graphics acceleration in its settings, or update it, then load the page again.",
    },
    gpuLost: {
      title: "The graphics card was reset",
      advice: "Viewers see the last picture and go on hearing you. It comes back by itself within seconds.",
    },
    noEncoder: {
      title: "Nothing encodes the show",
      advice: (reason: string) => `${reason} Choose another encoder.`,
    },
    compositorEnded: {
      title: "Drawing has stopped",
      advice: "Load the page again: the engine shows viewers the last picture meanwhile.",
    },
    otherEncoder: {
      title: (label: string) => `The ${label} encodes now`,
      advice: (reason: string) =>
        `${reason} Viewers saw a hiccup at most. To try that one again, choose it by its name.`,
    },
    render: {
      title: (rate: number, wanted: number) => `Only ${count(rate)} of ${count(wanted)} frames a second are drawn`,
      advice: "Close other programs, take filters off, or lower the frame rate or size.",
      hidden: "The window is hidden, and the system slows it down. Bring it to the front.",
    },
    encode: {
      title: (label: string) => `The ${label} encodes too slowly`,
      software: "Frames are left out. Choose a smaller size, or a GPU if this computer has one.",
      hardware: "Frames are left out. Another program may be using the GPU; close it, or choose a smaller size.",
    },
    link: {
      title: "The engine does not keep up with the program",
      advice: "This computer is too busy. Close other programs, or lower the bitrate.",
    },
    browserSlow: {
      title: "The browser lowers the picture: this computer is too slow for it",
      advice: "Choose a smaller size or fewer frames, or send by SRT instead of WebRTC.",
    },
    source: {
      gone: (name: string) => `${name} is gone`,
      failed: (name: string) => `${name} cannot be shown`,
      gonePlug: "Plug it in again: it comes back by itself.",
    },
    silence: {
      title: (ms: number) => `Nothing has been heard for ${span(ms)}`,
      advice: "Is a microphone muted, or its fader down? Look at the mixer.",
    },
    clipping: {
      title: "The sound is too loud",
      advice: "It distorts. Pull the loudest fader down, or put a limiter on it.",
    },
    keyframes: {
      title: (ms: number) => `The server sees keyframes only every ${tenths(ms / 1000)} s`,
      advice: "Viewers start and switch slowly. Set the keyframe interval to 2 s.",
    },
    receivesLess: {
      title: (share: number) => `The server receives only ${percent(share)} of what is sent`,
      advice: "Something on the way holds it back. The bitrate follows by itself if it may.",
    },
    interrupted: {
      title: "The server waits for your pictures",
      advice: "Viewers see a pause. It goes on as soon as something arrives.",
    },
    renditions: {
      title: (names: readonly string[]) => `The server does not make ${names.join(", ")}`,
      advice: "Viewers with slow connections get no smaller picture. Whoever runs the server can look at its log.",
    },
    serverSlow: {
      title: "The server is too slow for all renditions",
    },
    server: {
      title: "The server has something to say",
      storage: "The server cannot write to its disk",
    },
    recordingFailed: {
      title: "The recording has stopped",
      noReason: "It gave no reason.",
    },
    diskFull: {
      title: (free: string) => `The recording's disk has ${free} left`,
      advice: (ms: number) => `Enough for ${span(ms)}. Make room, or record somewhere else.`,
    },
  },
} as const;
