import { useEffect, useState } from "react";
import { useStore } from "zustand";
import "./theme/room.css";
import "./theme/lobby.css";
import "./theme/stage.css";
import "./theme/panels.css";
import { HomeLink } from "../pages/site-header.tsx";
import { useTitle } from "../pages/use-title.ts";
import { Lobby } from "./lobby/lobby.tsx";
import { isFinal, problemWords, RoomMessage } from "./lobby/room-message.tsx";
import { roomStrings } from "./room-strings.ts";
import { RoomVisit, type RoomVisitOptions } from "./room-visit.ts";
import { type Invite, inviteOf } from "./session/invite.ts";
import { RoomView } from "./stage/room-view.tsx";

export type RoomPageProps = Pick<RoomVisitOptions, "roomId" | "openWire" | "openMedia">;

/** `/room/:id#invite=TOKEN`: the lobby, the room, and what comes after. */
export function RoomPage(props: RoomPageProps) {
  const invite = useInvite();
  if (!invite) return <RoomMessage {...roomStrings.problems.invite_missing} />;
  // Known before anybody is bothered with permissions. A clock that is wrong by minutes does not decide: the server does.
  return <VisitedRoom key={invite.token} {...props} invite={invite} />;
}

/** Another link opened in the same tab changes only the fragment. */
function useInvite(): Invite | null {
  const [hash, setHash] = useState(location.hash);
  const [invite, setInvite] = useState(() => inviteOf(location.hash));
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  useEffect(() => {
    const next = inviteOf(hash);
    setInvite((before) => (before?.token === next?.token ? before : next));
  }, [hash]);
  return invite;
}

function VisitedRoom({ roomId, invite, openWire, openMedia }: RoomPageProps & { invite: Invite }) {
  const [visit, setVisit] = useState<RoomVisit | null>(null);
  useEffect(() => {
    const next = new RoomVisit({
      roomId,
      invite,
      ...(openWire ? { openWire } : {}),
      ...(openMedia ? { openMedia } : {}),
    });
    setVisit(next);
    return () => {
      setVisit(null);
      next.close();
    };
  }, [roomId, invite, openWire, openMedia]);
  return visit ? <VisitPage visit={visit} /> : null;
}

function VisitPage({ visit }: { visit: RoomVisit }) {
  const stage = useStore(visit.session.store, (state) => state.stage);
  const doorProblem = useStore(visit.door.store, ({ info, problem }) =>
    problem && (!info || isFinal(problem.code)) ? problem : null,
  );
  const expired = visit.invite.expiresAt !== null && visit.invite.expiresAt < Date.now() - CLOCKS_DIFFER_MS;
  const outside = stage.name === "lobby" || stage.name === "joining";
  useEffect(() => (outside ? visit.door.watch() : undefined), [visit, outside]);
  switch (stage.name) {
    case "in":
    case "rejoining":
      return <RoomView visit={visit} />;
    case "out":
      return <Outside visit={visit} />;
    case "lobby": {
      const problem = stage.problem ?? doorProblem ?? (expired ? { code: "invite_expired", message: "" } : null);
      if (problem && (isFinal(problem.code) || (problem === doorProblem && !stage.problem))) {
        return (
          <RoomMessage {...problemWords(problem)}>
            {isFinal(problem.code) ? null : (
              <button type="button" className="button is-primary" onClick={() => visit.door.refresh()}>
                {roomStrings.tryAgain}
              </button>
            )}
          </RoomMessage>
        );
      }
      return <Lobby visit={visit} />;
    }
    case "joining":
      return <Lobby visit={visit} />;
  }
}

/** Whose clock is off by less gets to hear it from the server. */
const CLOCKS_DIFFER_MS = 10 * 60_000;

/** After the room: why, and the way back where there is one. */
function Outside({ visit }: { visit: RoomVisit }) {
  const { session } = visit;
  const stage = useStore(session.store, (state) => state.stage);
  const title = useStore(session.store, (state) => state.room?.title ?? roomStrings.room);
  useTitle(title);
  if (stage.name !== "out") return null;
  const { reason, problem } = stage;
  const words = problem ? problemWords(problem) : roomStrings.out[reason];
  const mayReturn = problem ? !isFinal(problem.code) : reason === "left" || reason === "replaced";
  return (
    <RoomMessage title={words.title} detail={words.detail || (reason === "left" ? title : "")}>
      {mayReturn ? (
        <button type="button" className="button is-primary" onClick={() => session.returnToLobby()}>
          {reason === "replaced" ? roomStrings.joinHere : roomStrings.joinAgain}
        </button>
      ) : reason === "protocol" ? (
        <button type="button" className="button is-primary" onClick={() => location.reload()}>
          {roomStrings.reload}
        </button>
      ) : (
        <HomeLink />
      )}
    </RoomMessage>
  );
}
