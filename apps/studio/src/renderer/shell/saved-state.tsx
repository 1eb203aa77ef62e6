import { useShow } from "../services.ts";
import { strings } from "../strings.ts";

/** Whether the show is saved: quiet while it is, plain where it is not. */
export function SavedState() {
  const saved = useShow((state) => state.saved);
  const problem = useShow((state) => state.saveProblem);
  const words = strings.show;
  const failed = saved === "failed";
  const shown = { saved: words.saved, saving: words.saving, unsaved: words.unsaved, failed: words.saveFailed }[saved];
  return (
    <span
      className={failed ? "label saved-state bad" : "label saved-state"}
      role="status"
      data-saved={saved}
      title={failed && problem !== undefined ? words.saveFailedDetail(problem) : undefined}
    >
      {shown}
    </span>
  );
}
