import type { StudioAsset } from "@klieg/protocol";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { uploadAsset } from "../link/upload-asset.ts";
import { useServices } from "../services.ts";
import { strings } from "../strings.ts";
import { OTHER_FILMS, withMediaType } from "./media-type.ts";
import { fits } from "./source-settings.tsx";

const ACCEPTED = { image: "image/*", media_file: ["video/*", "audio/*", ...OTHER_FILMS].join() };
/** What the engine takes of one file, bytes. */
const LARGEST = 4 * 1024 ** 3;

/** Begins anew what can be stopped. */
function another(stop: { current: AbortController | undefined }): AbortController {
  stop.current?.abort(new Error("another file"));
  stop.current = new AbortController();
  return stop.current;
}

/** Chooses a file and has the engine take it in. */
export function FileChoice(props: {
  readonly kind: "image" | "media_file";
  readonly onFile: (asset: StudioAsset) => void;
}) {
  const { kind, onFile } = props;
  const { link, show } = useServices();
  const [share, setShare] = useState<number>();
  const [problem, setProblem] = useState<string>();
  const [name, setName] = useState<string>();
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController>(undefined);
  const words = strings.sources;

  useEffect(() => () => stop.current?.abort(new Error("closed")), []);

  const take = async (chosen: File | undefined) => {
    if (chosen === undefined) return;
    const file = withMediaType(chosen);
    setProblem(undefined);
    setName(file.name);
    if (!fits(kind, file.type)) return setProblem(words.wrongFile[kind]);
    if (file.size > LARGEST) return setProblem(words.tooLarge);
    const { signal } = another(stop);
    setShare(0);
    try {
      const asset = await uploadAsset(link, file, { onProgress: setShare, signal });
      show.addAsset(asset);
      onFile(asset);
    } catch (error) {
      if (!signal.aborted) setProblem(words.uploadFailed(error instanceof Error ? error.message : String(error)));
    } finally {
      if (!signal.aborted) setShare(undefined);
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void take(event.dataTransfer.files[0]);
  };
  return (
    <section
      className={over ? "file-choice over" : "file-choice"}
      aria-label={words.file}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <input
        ref={input}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-label={words.chooseFile}
        accept={ACCEPTED[kind]}
        onChange={(event) => void take(event.target.files?.[0])}
      />
      <button type="button" className="btn" onClick={() => input.current?.click()}>
        {words.chooseFile}
      </button>
      <span className="label ell grow">{name ?? words.dropFile}</span>
      {share === undefined ? null : (
        <progress aria-label={words.uploading(Math.round(share * 100))} value={share} max={1} />
      )}
      {problem === undefined ? null : (
        <p className="notice" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}
