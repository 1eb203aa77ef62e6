import type { RecordId } from "../../document/identity.ts";
import type { SourceKind } from "../../document/source.ts";
import { useServices } from "../services.ts";
import { strings } from "../strings.ts";
import { useCapture } from "./use-capture.ts";

/** Why there is nothing to be seen or heard of a source, and the one thing to do about it. */
export function SourceProblem({ sourceId, kind }: { readonly sourceId: RecordId; readonly kind: SourceKind }) {
  const { captures } = useServices().media;
  const capture = useCapture(sourceId);
  if (capture?.problem === undefined) return null;
  const { message, detail } = capture.problem;
  const helps = kind !== "guest";
  return (
    <div className="notice source-problem" role="status" title={detail}>
      <p>{message}</p>
      {helps ? (
        <button type="button" className="btn small" onClick={() => captures.retry(sourceId)}>
          {kind === "screen" ? strings.sources.pick : strings.sources.retry}
        </button>
      ) : null}
    </div>
  );
}
