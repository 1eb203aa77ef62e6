import { MachineTestBox } from "../settings/machine-test-box.tsx";
import { welcomeStrings } from "../strings/welcome.ts";

const words = welcomeStrings.test;

/** What this computer can do, by one click. */
export function TestStep({ onNext }: { readonly onNext: () => void }) {
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        onNext();
      }}
    >
      <div>
        <h1>{words.title}</h1>
        <p className="lead">{words.lead}</p>
      </div>
      <MachineTestBox primary onApplied={onNext} />
      <div className="row welcome-foot">
        <button type="submit" className="btn">
          {words.next}
        </button>
      </div>
    </form>
  );
}
