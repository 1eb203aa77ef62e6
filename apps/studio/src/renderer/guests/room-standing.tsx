import { useServices } from "../services.ts";
import { guestStrings as words } from "../strings/guests.ts";
import { useGuests } from "./use-guests.ts";

/** What stands between the studio and the room's guests; nothing while all is well. */
export function RoomStanding() {
  const { guests } = useServices();
  const stage = useGuests((view) => view.stage);
  const mediaBroken = useGuests((view) => view.mediaBroken);
  switch (stage.name) {
    case "joining":
      return <p role="status">{words.joining}</p>;
    case "in":
      return mediaBroken ? (
        <p className="notice" role="status">
          {words.mediaBroken}
        </p>
      ) : null;
    case "rejoining":
      return (
        <div className="notice" role="status">
          <p>{words.rejoining}</p>
          {stage.nextAt === null ? null : (
            <button type="button" className="btn small" onClick={() => guests.rejoinNow()}>
              {words.rejoinNow}
            </button>
          )}
        </div>
      );
    case "outside":
      return <Outside reason={stage.problem?.message || words.out.left} />;
    case "out":
      return <Outside reason={stage.problem?.message || words.out[stage.reason]} />;
  }
}

function Outside({ reason }: { readonly reason: string }) {
  const { guests } = useServices();
  return (
    <div className="notice" role="alert">
      <p>{reason}</p>
      <button type="button" className="btn small" onClick={() => guests.join(words.hostName)}>
        {words.joinAgain}
      </button>
    </div>
  );
}
