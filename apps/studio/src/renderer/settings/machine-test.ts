import type { ListedEncoder } from "@klieg/protocol";
import type { EncoderInUse } from "../media/compositor/compositor-statistics.ts";
import { chooseEncoder, listBrowserEncoders } from "../media/encoder/encoder-choice.ts";
import type { EngineLink } from "../state/engine-store.ts";
import { type Measured, measureBrowserEncoder } from "./encoder-measure.ts";
import { isEnough, type Proposal, proposeEncoding, SHAPES } from "./propose-encoding.ts";

/** How far a test has come. */
export interface MachineTest {
  readonly measured: readonly Measured[];
  /** What is measured now: "NVIDIA GPU"; undefined once it is over. */
  readonly measuring: string | undefined;
  readonly proposal: Proposal | undefined;
  /** Encoders that are there and do not work, with why. */
  readonly broken: readonly { readonly label: string; readonly reason: string }[];
  /** Why FFmpeg's were left out; undefined where they were not. */
  readonly engineProblem: string | undefined;
}

/** An encoder that can be measured at a shape. */
interface Candidate {
  readonly encoder: string;
  readonly label: string;
  readonly hardware: boolean;
  measure(shape: (typeof SHAPES)[number]): Promise<number>;
}

/**
 * Measures what this machine can encode: the browser's encoders, and FFmpeg's that use hardware. From the best picture on
 * downwards, and no further than to one that has room to spare.
 * @param onProgress told whenever anything is known.
 */
export async function testMachine(
  link: EngineLink,
  withFfmpeg: boolean,
  signal: AbortSignal,
  onProgress: (test: MachineTest) => void,
): Promise<MachineTest> {
  let test: MachineTest = {
    measured: [],
    measuring: "",
    proposal: undefined,
    broken: [],
    engineProblem: undefined,
  };
  const tell = (changes: Partial<MachineTest>) => {
    test = { ...test, ...changes };
    if (!signal.aborted) onProgress(test);
  };
  tell({});
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
      const speed = await candidate.measure(shape);
      const { width, height, frameRate } = shape;
      const one: Measured = { encoder, label, hardware, shape: { width, height, frameRate }, speed };
      const measured = [...test.measured, one];
      tell({ measured, proposal: proposeEncoding(measured) });
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
    async measure(shape) {
      const choice = await chooseEncoder(name, shape, shape.bitrate, "");
      return choice === undefined ? 0 : await measureBrowserEncoder(choice.config, shape);
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
