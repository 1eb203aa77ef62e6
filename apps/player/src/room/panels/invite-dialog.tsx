import type { CreatedInvite, InviteInfo, RoomRole } from "@klieg/protocol";
import type { RoomSession } from "@klieg/room";
import { useCallback, useEffect, useId, useState } from "react";
import { CopyField } from "../../pages/copy-field.tsx";
import { roomStrings } from "../room-strings.ts";
import { Modal } from "./modal.tsx";

const words = roomStrings.invite;
const ROLES: readonly RoomRole[] = ["speaker", "attendee", "host"];
const DAY_S = 24 * 3600;

/** Links for others, and which of them work. */
export function InviteDialog({ session, onClose }: { session: RoomSession; onClose: () => void }) {
  const id = useId();
  const [role, setRole] = useState<RoomRole>("speaker");
  const [seconds, setSeconds] = useState(DAY_S);
  const [made, setMade] = useState<CreatedInvite | null>(null);
  const [busy, setBusy] = useState(false);
  const [invites, refresh] = useInvites(session);
  const make = async () => {
    setBusy(true);
    const answer = await session.ask("create_invite", { role, expires_in_s: seconds });
    setBusy(false);
    if (!answer) return;
    setMade(answer.invite);
    void refresh();
  };
  const revoke = async (invite: InviteInfo) => {
    if (!(await session.ask("revoke_invite", { invite_id: invite.id }))) return;
    if (made?.id === invite.id) setMade(null);
    void refresh();
  };
  return (
    <Modal title={words.title} className="invite" onClose={onClose}>
      <p className="quiet">{words.detail}</p>
      <fieldset>
        <legend>{words.role}</legend>
        {ROLES.map((one) => (
          <label key={one} className="choice">
            <input
              type="radio"
              name={`${id}-role`}
              checked={role === one}
              onChange={() => {
                setRole(one);
                setMade(null);
              }}
            />
            <span>
              <strong>{roomStrings.roles[one]}</strong>
              <span className="quiet">{words.roles[one]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <label className="field-label" htmlFor={`${id}-expiry`}>
        {words.expiry}
      </label>
      <select
        id={`${id}-expiry`}
        className="field"
        value={seconds}
        onChange={(event) => {
          setSeconds(Number(event.currentTarget.value));
          setMade(null);
        }}
      >
        {words.expiries.map((expiry) => (
          <option key={expiry.seconds} value={expiry.seconds}>
            {expiry.label}
          </option>
        ))}
      </select>
      {made ? (
        <div className="made-invite">
          <CopyField label={words.link} text={made.link} />
        </div>
      ) : (
        <button type="button" className="button is-primary is-wide" aria-busy={busy} onClick={() => void make()}>
          {words.create}
        </button>
      )}
      {invites.length > 0 ? (
        <section>
          <h3>{words.existing}</h3>
          <ul className="invites">
            {invites.map((invite) => (
              <li key={invite.id}>
                <span className="grow">
                  {roomStrings.roles[invite.role]}
                  {invite.label ? <span className="quiet"> {invite.label}</span> : null}
                </span>
                <span className="quiet figure">{words.until(moment(invite.expires_at))}</span>
                <button
                  type="button"
                  className="button"
                  aria-label={words.revokeOf(roomStrings.roles[invite.role])}
                  onClick={() => void revoke(invite)}
                >
                  {words.revoke}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ) : null}
    </Modal>
  );
}

/** The invites that still work, the latest first. */
function useInvites(session: RoomSession): readonly [readonly InviteInfo[], () => Promise<void>] {
  const [invites, setInvites] = useState<readonly InviteInfo[]>([]);
  const refresh = useCallback(async () => {
    const answer = await session.ask("list_invites", {});
    if (!answer) return;
    setInvites(
      answer.invites
        .filter(({ revoked_at: revoked, expires_at: expires }) => revoked === null && Date.parse(expires) > Date.now())
        .toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1)),
    );
  }, [session]);
  useEffect(() => void refresh(), [refresh]);
  return [invites, refresh];
}

function moment(iso: string): string {
  return new Date(iso).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}
