import { Fragment } from "react";
import { roomStrings } from "../room-strings.ts";
import { Modal } from "./modal.tsx";

const words = roomStrings.help;

const ROWS: readonly (readonly [keys: readonly string[], meaning: string, forHosts?: boolean])[] = [
  [["m"], words.microphone],
  [["space"], words.talk],
  [["c"], words.camera],
  [["s"], words.screen],
  [["h"], words.hand],
  [["g"], words.layout],
  [["←", "→"], words.pages],
  [["p"], words.people],
  [["t"], words.texts],
  [["i"], words.invite, true],
  [["a"], words.program, true],
  [["f"], words.fullScreen],
  [["esc"], words.close],
  [["?"], words.help],
];

/** The room's keys. */
export function RoomHelp({ isHost, onClose }: { isHost: boolean; onClose: () => void }) {
  return (
    <Modal title={words.title} className="help" onClose={onClose}>
      <dl>
        {ROWS.filter(([, , forHosts]) => isHost || !forHosts).map(([keys, meaning]) => (
          <Fragment key={meaning}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </Fragment>
        ))}
      </dl>
    </Modal>
  );
}
