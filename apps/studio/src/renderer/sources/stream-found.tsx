import type { RecordId } from "../../document/identity.ts";
import { streamWords } from "./stream-words.ts";
import { useCapture } from "./use-capture.ts";

/** What comes of a source that the engine plays; nothing of others. */
export function StreamFound({ sourceId }: { readonly sourceId: RecordId }) {
  const stream = useCapture(sourceId)?.stream;
  if (stream === undefined) return null;
  return (
    <div className="label stream-words">
      {streamWords(stream).map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}
