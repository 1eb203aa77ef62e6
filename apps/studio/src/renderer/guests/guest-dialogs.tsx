import { focusedFirst } from "../broadcast/focused-first.ts";
import { useRequest } from "../broadcast/use-request.ts";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { guestStrings as words } from "../strings/guests.ts";
import type { Guest } from "./guest.ts";
import { useGuests } from "./use-guests.ts";

/** Asks once more before everybody is put out. @param onFailed the room is left all the same. */
export function CloseRoomDialog(props: { readonly onClose: () => void; readonly onFailed: (error: unknown) => void }) {
  const { onClose, onFailed } = props;
  const { engine } = useServices();
  const count = useGuests(({ guests }) => guests.length);
  const close = () => {
    onClose();
    engine.link.request("close_guest_room", {}).catch(onFailed);
  };
  return (
    <Confirm
      title={words.closeTitle}
      detail={words.closeDetail(count)}
      keep={words.keepOpen}
      action={words.closeAction}
      onKeep={onClose}
      onAction={close}
    />
  );
}

/** Asks once more before a guest is put out. */
export function RemoveDialog({ guest, onClose }: { readonly guest: Guest; readonly onClose: () => void }) {
  const { guests, toasts } = useServices();
  const { busy, problem, ask } = useRequest();
  const remove = async () => {
    if (!(await ask(() => guests.remove(guest.id)))) return;
    toasts.show(words.removed(guest.name));
    onClose();
  };
  return (
    <Confirm
      title={words.removeTitle(guest.name)}
      detail={words.removeDetail}
      keep={words.cancel}
      action={words.removeAction}
      busy={busy}
      problem={problem}
      onKeep={onClose}
      onAction={() => void remove()}
    />
  );
}

function Confirm(props: {
  readonly title: string;
  readonly detail: string;
  readonly keep: string;
  readonly action: string;
  readonly busy?: boolean;
  readonly problem?: string | undefined;
  readonly onKeep: () => void;
  readonly onAction: () => void;
}) {
  const { title, detail, keep, action, busy, problem, onKeep, onAction } = props;
  return (
    <Dialog
      title={title}
      onClose={onKeep}
      footer={
        <>
          {/* biome-ignore lint/a11y/noAutofocus: Enter is to keep the guests, not to put them out. */}
          <button type="button" className="btn" autoFocus ref={focusedFirst} onClick={onKeep}>
            {keep}
          </button>
          <button type="button" className="btn danger" disabled={busy} onClick={onAction}>
            {action}
          </button>
        </>
      }
    >
      <p>{detail}</p>
      {problem === undefined ? null : (
        <p className="problem" role="alert">
          {words.failed(problem)}
        </p>
      )}
    </Dialog>
  );
}
