import { useRef, useState } from "react";
import { useNow } from "../broadcast/use-now.ts";
import { useRequest, wordsOf } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { MoreIcon } from "../shell/icons.tsx";
import { below, Menu } from "../shell/menu.tsx";
import { useEngine } from "../state/use-engine.ts";
import { guestStrings as words } from "../strings/guests.ts";
import { CloseRoomDialog } from "./guest-dialogs.tsx";

const UNTIL = new Intl.DateTimeFormat("en-GB", { weekday: "long", hour: "2-digit", minute: "2-digit" });

/** The link that guests are sent. */
export function InviteBox() {
  const { engine, toasts } = useServices();
  const invite = useEngine(({ guestRoom }) => guestRoom.invite);
  const problem = useEngine(({ guestRoom }) => guestRoom.problem);
  const field = useRef<HTMLInputElement>(null);
  const [menu, setMenu] = useState<{ x: number; y: number }>();
  const [closing, setClosing] = useState(false);
  const renewing = useRequest();
  const copy = async (link: string) => {
    try {
      await navigator.clipboard.writeText(link);
      toasts.show(words.copied);
    } catch {
      // Not allowed, or the page is not on a secure address: then by hand.
      field.current?.select();
      toasts.show(words.copyFailed);
    }
  };
  const renew = async () => {
    if (await renewing.ask(() => engine.link.request("renew_guest_invite", {}))) toasts.show(words.renewed);
  };
  const expired = Date.parse(invite?.expires_at ?? "") <= useNow(invite !== null);
  const said = renewing.problem ?? problem?.message;
  return (
    <section className="invite" aria-label={words.invite}>
      <div className="row">
        <h3 className="h grow">{words.invite}</h3>
        <button
          type="button"
          className="icon-btn"
          aria-label={words.more}
          title={words.more}
          aria-haspopup="menu"
          onClick={(event) => setMenu(below(event.currentTarget))}
        >
          <MoreIcon />
        </button>
      </div>
      {invite === null || expired ? (
        <div className="notice">
          <p>{expired ? words.expired : words.noInvite}</p>
          <button type="button" className="btn small" disabled={renewing.busy} onClick={() => void renew()}>
            {words.newLink}
          </button>
        </div>
      ) : (
        <>
          <div className="row">
            <input
              ref={field}
              className="input grow"
              readOnly
              aria-label={words.invite}
              value={invite.link}
              onFocus={(event) => event.currentTarget.select()}
            />
            <button type="button" className="btn arc" onClick={() => void copy(invite.link)}>
              {words.copy}
            </button>
          </div>
          <p className="label">{words.inviteHint(UNTIL.format(new Date(invite.expires_at)))}</p>
        </>
      )}
      {said === undefined ? null : (
        <p className="problem" role="alert">
          {words.failed(said)}
        </p>
      )}
      {menu === undefined ? null : (
        <Menu
          label={words.more}
          at={menu}
          entries={[
            { label: words.newLink, disabled: renewing.busy, run: () => void renew() },
            undefined,
            { label: words.close, run: () => setClosing(true) },
          ]}
          onClose={() => setMenu(undefined)}
        />
      )}
      {closing ? (
        <CloseRoomDialog
          onClose={() => setClosing(false)}
          onFailed={(error) => toasts.show(words.closeFailed(wordsOf(error)), { tone: "bad" })}
        />
      ) : null}
    </section>
  );
}
