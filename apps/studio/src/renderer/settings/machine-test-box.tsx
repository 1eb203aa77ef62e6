import { useEffect, useRef, useState } from "react";
import { useServices } from "../services.ts";
import { useEngine } from "../state/use-engine.ts";
import { settingsStrings } from "../strings/settings.ts";
import { applyProposal } from "./apply-proposal.ts";
import { type MachineTest, testMachine } from "./machine-test.ts";
import type { Proposal } from "./propose-encoding.ts";

const words = settingsStrings.video;

/** One click: what this computer can encode, and what it had best use. @param onApplied told once it is used. */
export function MachineTestBox(props: {
  readonly onApplied?: () => void;
  /** Whether testing is the one next thing to do. */
  readonly primary?: boolean;
}) {
  const { onApplied, primary = false } = props;
  const { engine, show } = useServices();
  const ffmpeg = useEngine((state) => state.welcome?.ffmpeg != null);
  const onAir = useEngine((state) => state.broadcast.state !== "idle");
  const [test, setTest] = useState<MachineTest>();
  const [applied, setApplied] = useState<Proposal>();
  const [problem, setProblem] = useState<string>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const begin = () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    setApplied(undefined);
    setProblem(undefined);
    testMachine(engine.link, show.document, ffmpeg, controller.signal, setTest).catch((error: Error) =>
      setProblem(error.message),
    );
  };
  const stop = () => {
    running.current?.abort();
    setTest((now) => (now === undefined ? now : { ...now, measuring: undefined, uploading: undefined }));
  };
  const apply = (proposal: Proposal) => {
    show.change(settingsStrings.video.change, (document) => applyProposal(document, proposal));
    setApplied(proposal);
    onApplied?.();
  };
  const busy = test?.measuring !== undefined;
  const proposal = busy ? undefined : test?.proposal;
  return (
    <div className="machine-test">
      <div className="row">
        <p className="grow label" role="status">
          {test === undefined
            ? words.testDetail
            : test.uploading !== undefined
              ? words.uploading(test.uploading)
              : busy
                ? words.testing(test.measuring ?? "")
                : words.timesHint}
        </p>
        {busy ? (
          <button type="button" className="btn" onClick={stop}>
            {words.stop}
          </button>
        ) : (
          <button
            type="button"
            className={primary && test === undefined ? "btn arc" : "btn"}
            // biome-ignore lint/a11y/noAutofocus: in the first steps it is the one next thing to do.
            autoFocus={primary}
            disabled={onAir}
            onClick={begin}
          >
            {test === undefined ? words.test : words.again}
          </button>
        )}
      </div>
      {busy ? <progress className="progress" /> : null}
      {test === undefined || test.measured.length === 0 ? null : (
        <table className="measured">
          <tbody>
            {test.measured.map(({ encoder, label, shape, speed }) => (
              <tr key={`${encoder} ${shape.width} ${shape.frameRate}`}>
                <th scope="row">{label}</th>
                <td>{words.sizeOf(shape.width, shape.height)}</td>
                <td className="num">{shape.frameRate} fps</td>
                <td className="num">{words.times(speed)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {test?.uploads.map(({ destination, upload, problem }) => (
        <p key={destination} className={upload === undefined ? "label" : undefined}>
          {upload === undefined
            ? words.noUpload(destination, problem ?? "")
            : words.upload(destination, upload.bitrate, upload.at_least, upload.rtt_ms)}
        </p>
      ))}
      {test !== undefined && !busy && test.uploads.length === 0 ? (
        <p className="label">{words.noDestinations}</p>
      ) : null}
      {test?.broken.map(({ label, reason }) => (
        <p key={label} className="label">
          {words.broken(label, reason)}
        </p>
      ))}
      {test?.engineProblem === undefined ? null : <p className="label">{words.ffmpegLeftOut(test.engineProblem)}</p>}
      {problem === undefined ? null : <p className="problem">{problem}</p>}
      {test !== undefined && !busy && proposal === undefined ? <p className="problem">{words.nothingWorks}</p> : null}
      {proposal === undefined ? null : (
        <div className="notice row">
          <span className="grow">
            {words.proposalTitle}{" "}
            <strong>
              {words.proposal(
                proposal.width,
                proposal.height,
                proposal.frameRate,
                proposal.videoBitrate,
                proposal.label,
              )}
            </strong>
          </span>
          {applied === proposal ? (
            <span>{words.applied}</span>
          ) : (
            <button type="button" className="btn arc" disabled={onAir} onClick={() => apply(proposal)}>
              {words.apply}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
