import type { ListedEncoder } from "@klieg/protocol";
import type { StudioDocument } from "../../document/studio-document.ts";
import type { EncoderInUse } from "../media/compositor/compositor-statistics.ts";
import { chooseEncoder, listBrowserEncoders } from "../media/encoder/encoder-choice.ts";
import type { EngineLink } from "../state/engine-store.ts";
import { type Measured, measureBrowserEncoder } from "./encoder-measure.ts";
import { isEnough, type Proposal, proposeEncoding, SHAPES } from "./propose-encoding.ts";
import { type MeasuredUpload, measureUpload, roomFor } from "./upload-measure.ts";

/** How far a test has come. */
export interface MachineTest {
  readonly measured: readonly Measured[];
  /** What is measured now: "NVIDIA GPU"; undefined once it is over. */
  readonly measuring: string | undefined;
  readonly proposal: Proposal | undefined;
  /** Encoders that are there and do not work, with why. */
  readonly broken: readonly { readonly label: string; readonly reason: string }[];
  /** What the network carries to where the show goes. */
  readonly uploads: readonly MeasuredUpload[];
  /** The destination to which it is measured now; undefined before and after. */
  readonly uploading: string | undefined;
  /** Why FFmpeg's were left out; undefined where they were not. */
  readonly engineProblem: string | undefined;
}

/** An encoder that can be measured at a shape. */
interface Candidate {
  readonly encoder: string;
  readonly label: string;
  readonly hardware: boolean;
  measure(shape: (typeof SHAPES)[number], signal: AbortSignal): Promise<number>;
}

/** Destinations to which the upload is measured; each takes some seconds. */
const MOST_UPLOADS = 3;

/**
 * Measures what the network carries to where the show goes, and what this machine can encode: the browser's encoders, and
 * FFmpeg's that use hardware. From the best picture on downwards, and no further than to one that has room to spare.
 * @param onProgress told whenever anything is known.
 */
export async function testMachine(
  link: EngineLink,
  { destinations, encoding }: Pick<StudioDocument, "destinations" | "encoding">,
  withFfmpeg: boolean,
  signal: AbortSignal,
  onProgress: (test: MachineTest) => void,
): Promise<MachineTest> {
  let test: MachineTest = {
    measured: [],
    measuring: "",
    uploads: [],
    uploading: undefined,
    proposal: undefined,
    broken: [],
    engineProblem: undefined,
  };
  const tell = (changes: Partial<MachineTest>) => {
    test = { ...test, ...changes };
    if (!signal.aborted) onProgress(test);
  };
  tell({});
  for (const destination of destinations.filter(({ enabled }) => enabled).slice(0, MOST_UPLOADS)) {
    if (signal.aborted) return test;
    tell({ uploading: destination.name });
    const upload = await measureUpload(link, destination);
    tell({ uploads: [...test.uploads, upload], uploading: undefined });
  }
  if (signal.aborted) return test;
  const room = roomFor(test.uploads, encoding.audio_bitrate);
  const candidates = await browserCandidates();
  if (withFfmpeg) {
    try {
      const { encoders } = await link.request("list_encoders", {});
      const broken = encoders.filter(({ hardware, works, reason }) => hardware && !works && reason !== null);
      tell({ broken: broken.map(({ label, reason }) => ({ label, reason: reason ?? "" })) });
      const hasSoftware = candidates.some(({ hardware }) => !hardware);
      const wanted = encoders.filter(({ works, hardware }) => works && (hardware || !hasSoftware));
      candidates.push(...wanted.map((encoder) => engineCandidate(link, encoder)));
    } catch (error) {
      tell({ engineProblem: error instanceof Error ? error.message : String(error) });
    }
  }
  // The GPU first: where it is enough, nobody has to wait for the CPU.
  candidates.sort((one, other) => Number(other.hardware) - Number(one.hardware));
  for (const candidate of candidates) {
    for (const shape of SHAPES) {
      if (signal.aborted) return test;
      tell({ measuring: candidate.label });
      const { encoder, label, hardware } = candidate;
      const speed = await candidate.measure(shape, signal);
      if (signal.aborted) return test;
      const { width, height, frameRate } = shape;
      const one: Measured = { encoder, label, hardware, shape: { width, height, frameRate }, speed };
      const measured = [...test.measured, one];
      tell({ measured, proposal: proposeEncoding(measured, room) });
      if (isEnough(one)) break;
    }
    if (test.measured.some((one) => one.hardware && isEnough(one) && one.shape.width === SHAPES[0]?.width)) break;
  }
  tell({ measuring: undefined });
  return test;
}

async function browserCandidates(): Promise<Candidate[]> {
  const [shape] = SHAPES;
  if (shape === undefined || typeof VideoEncoder === "undefined") return [];
  const found = await listBrowserEncoders(shape, shape.bitrate);
  return found.map(browserCandidate);
}

function browserCandidate({ name, label, hardware }: EncoderInUse): Candidate {
  return {
    encoder: name,
    label,
    hardware,
    async measure(shape, signal) {
      const choice = await chooseEncoder(name, shape, shape.bitrate, "");
      return choice === undefined ? 0 : await measureBrowserEncoder(choice.config, shape, signal);
    },
  };
}

function engineCandidate(link: EngineLink, { name, label, hardware }: ListedEncoder): Candidate {
  return {
    encoder: name,
    label,
    hardware,
    async measure({ width, height, frameRate }) {
      try {
        const { test } = await link.request("test_encoder", { encoder: name, width, height, frame_rate: frameRate });
        return test.speed;
      } catch {
        // One that fails at this picture may do another.
        return 0;
      }
    },
  };
}
