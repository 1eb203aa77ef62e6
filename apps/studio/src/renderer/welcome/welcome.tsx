import { useState } from "react";
import { wordsOf } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { Brand } from "../shell/brand.tsx";
import { useEngine } from "../state/use-engine.ts";
import { welcomeStrings as words } from "../strings/welcome.ts";
import { DevicesStep } from "./devices-step.tsx";
import { LiveStep } from "./live-step.tsx";
import { ServerStep } from "./server-step.tsx";
import { TestStep } from "./test-step.tsx";
import "./welcome.css";

const STEPS = ["server", "devices", "test", "live"] as const;
type Step = (typeof STEPS)[number];

/** The first steps, until they are done or put off. */
export function Welcome() {
  const welcomed = useEngine((state) => state.settings?.welcomed ?? true);
  return welcomed ? null : <Steps />;
}

function Steps() {
  const { engine, toasts } = useServices();
  const [step, setStep] = useState<Step>("server");
  const at = STEPS.indexOf(step);
  const finish = () => {
    engine.changeSettings({ welcomed: true }).catch((error) => toasts.show(wordsOf(error), { tone: "bad" }));
  };
  const next = () => {
    const following = STEPS[at + 1];
    if (following === undefined) finish();
    else setStep(following);
  };
  const back = () => setStep(STEPS[at - 1] ?? "server");
  const shown = {
    server: <ServerStep onNext={next} />,
    devices: <DevicesStep onNext={next} />,
    test: <TestStep onNext={next} />,
    live: <LiveStep onDone={finish} />,
  }[step];
  return (
    <dialog
      className="welcome"
      aria-label={words.title}
      ref={(element) => {
        if (element !== null && !element.open) element.showModal();
      }}
      // One Escape is too easily pressed to lose the steps; browsers let a second one through.
      onCancel={(event) => event.preventDefault()}
      onClose={finish}
    >
      <header className="row">
        <Brand />
        <ol className="welcome-steps" aria-label={words.progress}>
          {STEPS.map((name, index) => (
            <li key={name} aria-current={name === step ? "step" : undefined} data-done={index < at ? "" : undefined}>
              <button type="button" disabled={index >= at} onClick={() => setStep(name)}>
                <span className="num" aria-hidden="true">
                  {index + 1}
                </span>
                {words.steps[name]}
              </button>
            </li>
          ))}
        </ol>
        <span className="grow" />
        <button type="button" className="btn ghost" onClick={finish}>
          {words.skip}
        </button>
      </header>
      <main key={step}>
        <p className="unseen" role="status">
          {words.step(at + 1, STEPS.length)}
        </p>
        {shown}
        {at === 0 ? null : (
          <button type="button" className="btn ghost welcome-back" onClick={back}>
            ← {words.steps[STEPS[at - 1] ?? "server"]}
          </button>
        )}
      </main>
    </dialog>
  );
}
