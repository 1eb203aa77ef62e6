import type { KeptFilm } from "@klieg/protocol";
import { useState } from "react";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { studioDesktop } from "../state/studio-desktop.ts";
import { recordingStrings } from "../strings/recording.ts";
import { RecordedNow } from "./recorded-now.tsx";
import { useFilms } from "./use-films.ts";

const words = recordingStrings.films;

/** The films that were kept: to be played, saved and found; and how those do that are being made. */
export function RecordingsDialog({ onClose }: { readonly onClose: () => void }) {
  const { listed, problem, busy, look } = useFilms();
  const [playing, setPlaying] = useState<string>();
  const films = listed?.films ?? [];
  return (
    <Dialog
      title={words.title}
      onClose={onClose}
      className="wide films"
      footer={
        <>
          <p className="hint grow ell" title={listed?.folder}>
            {listed === undefined ? "" : words.folder(listed.folder)}
          </p>
          <button type="button" className="btn" disabled={busy} onClick={look}>
            {problem === undefined ? words.refresh : words.again}
          </button>
        </>
      }
    >
      <RecordedNow />
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {listed === undefined && problem === undefined ? <p role="status">{words.loading}</p> : null}
      {listed !== undefined && films.length === 0 ? (
        <div className="empty">
          <p className="empty-title">{words.noFilms}</p>
          <p>{words.noFilmsDetail}</p>
        </div>
      ) : null}
      <ul className="film-list">
        {films.map((film) => (
          <Film
            key={film.id}
            film={film}
            playing={film.id === playing}
            onPlay={() => setPlaying(film.id === playing ? undefined : film.id)}
          />
        ))}
      </ul>
    </Dialog>
  );
}

function Film(props: { readonly film: KeptFilm; readonly playing: boolean; readonly onPlay: () => void }) {
  const { film, playing, onPlay } = props;
  const { assetUrl } = useServices();
  const desktop = studioDesktop();
  return (
    <li className={film.kind === "source" ? "film of-source" : "film"}>
      <div className="row">
        <span className="chip">{words.kinds[film.kind]}</span>
        <span className="grow ell">
          <strong title={film.path}>{film.name}</strong>
          <span className="label num">
            {words.about(film.duration_ms, film.bytes, film.ended_at)} · {words.size(film.width, film.height)}
          </span>
        </span>
        <button
          type="button"
          className="btn small"
          aria-expanded={playing}
          aria-label={playing ? words.playing(film.name) : words.playFilm(film.name)}
          onClick={onPlay}
        >
          {playing ? words.close : words.play}
        </button>
        {desktop === undefined ? (
          <a
            className="btn small"
            href={assetUrl(film.id)}
            download={`${film.name}.mp4`}
            aria-label={words.saveFilm(film.name)}
          >
            {words.save}
          </a>
        ) : (
          <button
            type="button"
            className="btn small"
            aria-label={words.showFilm(film.name)}
            onClick={() => void desktop.showInFolder(film.path)}
          >
            {words.show}
          </button>
        )}
      </div>
      {playing ? <Player film={film} /> : null}
    </li>
  );
}

function Player({ film }: { readonly film: KeptFilm }) {
  const { assetUrl } = useServices();
  const [broken, setBroken] = useState(false);
  if (broken) return <p role="alert">{words.unplayable}</p>;
  return (
    // biome-ignore lint/a11y/useMediaCaption: nobody has written down what is said in it.
    <video
      className={film.width === null ? "film-player sound-only" : "film-player"}
      src={assetUrl(film.id)}
      controls
      autoPlay
      aria-label={film.name}
      onError={() => setBroken(true)}
    />
  );
}
