import { type ReactNode, useEffect, useRef } from "react";
import { CloseIcon } from "../../controls/icons.tsx";
import { roomStrings } from "../room-strings.ts";

export interface ModalProps {
  readonly title: string;
  readonly className?: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A dialog over the room. The browser keeps the focus within it and gives it back afterwards. */
export function Modal({ title, className, onClose, children }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
    // Not on the button that closes it, which is only the first thing in it.
    dialog.current?.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={`dialog room-dialog ${className ?? ""}`}
      aria-label={title}
      tabIndex={-1}
      onClose={onClose}
      onPointerDown={(event) => {
        // Beside it: the backdrop belongs to the dialog element itself.
        if (event.target === event.currentTarget) dialog.current?.close();
      }}
    >
      <div className="dialog-body">
        <header>
          <h2>{title}</h2>
          <button
            type="button"
            className="control"
            aria-label={roomStrings.close}
            onClick={() => dialog.current?.close()}
          >
            <CloseIcon />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export interface ConfirmProps {
  readonly title: string;
  readonly detail: string;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before what cannot be undone. */
export function Confirm({ title, detail, action, onConfirm, onClose }: ConfirmProps) {
  return (
    <Modal title={title} className="confirm" onClose={onClose}>
      {detail ? <p>{detail}</p> : null}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={onClose}>
          {roomStrings.cancel}
        </button>
        <button
          type="button"
          className="button is-primary"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {action}
        </button>
      </div>
    </Modal>
  );
}
