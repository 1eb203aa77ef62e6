import { useEffect, useState } from "react";
import { CheckIcon, CopyIcon } from "../controls/icons.tsx";
import { strings } from "../strings.ts";
import { copyText } from "./clipboard.ts";

const CONFIRM_MS = 2000;

/** A line of text to take along, with a button that copies it. */
export function CopyField({ label, text }: { label: string; text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), CONFIRM_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const words = strings.share;
  return (
    <div className="copy-field">
      <input
        className="figure"
        readOnly
        aria-label={label}
        value={text}
        onFocus={(event) => event.currentTarget.select()}
      />
      <button
        type="button"
        className="button"
        aria-label={`${words.copy}: ${label}`}
        onClick={async () => setCopied(await copyText(text))}
      >
        {copied ? <CheckIcon /> : <CopyIcon />}
        <span aria-live="polite">{copied ? words.copied : words.copy}</span>
      </button>
    </div>
  );
}
