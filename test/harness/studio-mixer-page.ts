// Addresses of what Vite builds apart are known to whoever checks the types of tests by this line alone.
/// <reference types="vite/client" />
import type { StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { Mixer } from "../../apps/studio/src/renderer/media/mixer/mixer.ts";
import { programClock } from "../../apps/studio/src/renderer/media/program-clock.ts";

/** The studio's mixer alone in a page, with tones as its sources, and its program kept as it comes. */
const clock = programClock();
const mixer = new Mixer();
/** Another context than the mixer's, as a track of a microphone comes from elsewhere too. */
const outside = new AudioContext({ sampleRate: 48_000 });
const gains = new Map<string, GainNode>();
const tracks = new Map<string, MediaStreamTrack>();
/** Of the program, from the last {@link page.forget} on. */
let blocks: Int16Array<ArrayBuffer>[] = [];
let first: number | undefined;
let holes = 0;
let next: number | undefined;
let wake: (() => void) | undefined;
mixer.onSamples((samples, timestamp) => {
  if (next !== undefined && timestamp !== next) holes += 1;
  next = timestamp + 20_000;
  first ??= timestamp;
  blocks.push(samples);
  wake?.();
});

const page = {
  start: () => mixer.start(clock),
  state: () => mixer.state,
  problem: () => mixer.problem?.code,
  update: (document: StudioDocument) => mixer.update(document),
  resumeSources: () => outside.resume(),

  /** A sine whose peak is at a level, dBFS. @param frequency 0 for a fan's rumble instead. */
  addTone(id: string, frequency: number, level: number): void {
    let source: AudioScheduledSourceNode;
    if (frequency > 0) source = new OscillatorNode(outside, { frequency });
    else {
      const buffer = new AudioBuffer({ length: 5 * 48_000, sampleRate: 48_000 });
      const samples = buffer.getChannelData(0);
      let last = 0;
      for (let i = 0; i < samples.length; i += 1) {
        last = 0.95 * last + 2 * Math.random() - 1;
        samples[i] = last / 8;
      }
      source = new AudioBufferSourceNode(outside, { buffer, loop: true });
    }
    const gain = new GainNode(outside, { gain: 10 ** (level / 20) });
    const destination = new MediaStreamAudioDestinationNode(outside, { channelCount: 1, channelCountMode: "explicit" });
    source.connect(gain).connect(destination);
    source.start();
    gains.set(id, gain);
    const track = destination.stream.getAudioTracks()[0] as MediaStreamTrack;
    tracks.set(id, track);
    mixer.setTrack(id, track);
  },
  /** Sends a tone's track through a WebRTC connection of two peers in this page, and gives the mixer what arrives. */
  async sendByWebRtc(id: string): Promise<void> {
    const [sender, receiver] = [new RTCPeerConnection(), new RTCPeerConnection()];
    const arrived = new Promise<MediaStreamTrack>((resolve) => {
      receiver.ontrack = ({ track }) => resolve(track);
    });
    sender.addTransceiver(tracks.get(id) as MediaStreamTrack, { direction: "sendonly" });
    const gathered = async (peer: RTCPeerConnection) => {
      await peer.setLocalDescription();
      while (peer.iceGatheringState !== "complete") {
        await new Promise((resolve) => {
          peer.onicegatheringstatechange = resolve;
        });
      }
    };
    await gathered(sender);
    await receiver.setRemoteDescription(sender.localDescription as RTCSessionDescription);
    await gathered(receiver);
    await sender.setRemoteDescription(receiver.localDescription as RTCSessionDescription);
    mixer.setTrack(id, await arrived);
  },
  setLevel(id: string, level: number): void {
    gains.get(id)?.gain.setValueAtTime(level === -Infinity ? 0 : 10 ** (level / 20), 0);
  },
  removeTrack: (id: string) => mixer.setTrack(id, undefined),

  levels: () => Object.fromEntries([...mixer.meters()].map(([id, level]) => [id, { ...level }])),
  loudness: () => ({ ...mixer.loudness() }),
  resetLoudness: () => mixer.resetLoudness(),
  setMonitorDevice: (id: string) => mixer.setMonitorDevice(id),

  /** What the program has from now on. */
  forget(): void {
    blocks = [];
    first = undefined;
  },
  /** Waits until the program has given `seconds` since it was last forgotten. @returns them, both channels. */
  async heard(
    seconds: number,
  ): Promise<{ left: number[]; right: number[]; timestamp: number; state: string; late: number; holes: number }> {
    while (blocks.length < seconds * 50) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const left: number[] = [];
    const right: number[] = [];
    for (const block of blocks) {
      for (let i = 0; i < block.length; i += 2) {
        left.push((block[i] as number) / 32_768);
        right.push((block[i + 1] as number) / 32_768);
      }
    }
    return { left, right, timestamp: first as number, state: mixer.state, late: clock.now() - (next as number), holes };
  },
  /** Keeps the page's thread busy, ms. */
  hold(time: number): void {
    const until = performance.now() + time;
    while (performance.now() < until);
  },
  /** The left channel of what a track for WebRTC carries, the program's or the guests', for a time, s. */
  async trackHeard(seconds: number, which: "program" | "mix_minus" = "program"): Promise<number[]> {
    const track = which === "program" ? mixer.programTrack : mixer.mixMinusTrack();
    const reader = new MediaStreamTrackProcessor({ track: track as MediaStreamAudioTrack }).readable.getReader();
    const samples: number[] = [];
    while (samples.length < seconds * 48_000) {
      const { value } = await reader.read();
      if (value === undefined) break;
      const plane = new Float32Array(value.numberOfFrames);
      value.copyTo(plane, { planeIndex: 0, format: "f32-planar" });
      samples.push(...plane);
      value.close();
    }
    await reader.cancel();
    return samples;
  },

  async close(): Promise<{ program: string; mixMinus: string; sources: string[]; state: string }> {
    await mixer.close();
    await mixer.close();
    return {
      program: mixer.programTrack.readyState,
      mixMinus: mixer.mixMinusTrack().readyState,
      sources: [...tracks.values()].map(({ readyState }) => readyState),
      state: mixer.state,
    };
  },
};

export type StudioMixerPage = typeof page;
(globalThis as unknown as { tested: StudioMixerPage }).tested = page;
if (location.hash === "#waiting") {
  await mixer.start(clock);
  await page.heard(0.8);
}
console.info("ready");
