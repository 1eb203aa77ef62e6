import { useServices, useShow } from "../services.ts";
import { strings } from "../strings.ts";
import { Brand } from "./brand.tsx";
import { CloseIcon } from "./icons.tsx";

/** Why another show is open than the one that was saved. */
export function ShowProblem() {
  const { show } = useServices();
  const problem = useShow((state) => state.problem);
  if (problem === undefined) return null;
  return (
    <div className="notice show-problem" role="alert">
      <p className="grow">
        <strong>{strings.show.replacedTitle}</strong> {problem}
      </p>
      <button
        type="button"
        className="icon-btn"
        aria-label={strings.show.dismiss}
        onClick={() => show.dismissProblem()}
      >
        <CloseIcon />
      </button>
    </div>
  );
}

/** In place of the window where no show could be opened at all. */
export function ShowFailed() {
  const { show } = useServices();
  const problem = useShow((state) => state.problem);
  return (
    <div className="curtain">
      <Brand />
      <h2 className="h">{strings.show.failedTitle}</h2>
      <p role="alert">{problem}</p>
      <div className="row">
        <button type="button" className="btn arc" onClick={() => void show.open()}>
          {strings.show.tryAgain}
        </button>
        <button type="button" className="btn" onClick={() => show.startAnew()}>
          {strings.show.startAnew}
        </button>
      </div>
    </div>
  );
}
