import type { ReactNode } from "react";

/** One drawing on a 16 × 16 grid, in lines of the colour of the text around it. Decorative: what holds it has the name. */
export function Icon({ children }: { readonly children: ReactNode }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

export const CloseIcon = () => (
  <Icon>
    <path d="m4 4 8 8m0-8-8 8" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon>
    <path d="M8 3v10M3 8h10" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon>
    <path d="M3.500 8h.01M8 8h.01M12.500 8h.01" strokeWidth="2.400" />
  </Icon>
);

export const EyeIcon = () => (
  <Icon>
    <path d="M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8Z" />
    <circle cx="8" cy="8" r="2" />
  </Icon>
);

export const EyeOffIcon = () => (
  <Icon>
    <path d="M6.300 3.800A6.400 6.400 0 0 1 8 3.500c4 0 6.500 4.500 6.500 4.500a11 11 0 0 1-1.700 2.200M4.300 4.800A10.500 10.500 0 0 0 1.500 8S4 12.500 8 12.500a6.300 6.300 0 0 0 3.400-1M2.500 2.500l11 11" />
  </Icon>
);

export const LockIcon = () => (
  <Icon>
    <rect x="3.500" y="7" width="9" height="6.500" rx="1.500" />
    <path d="M5.500 7V5a2.500 2.500 0 0 1 5 0v2" />
  </Icon>
);

export const UnlockIcon = () => (
  <Icon>
    <rect x="3.500" y="7" width="9" height="6.500" rx="1.500" />
    <path d="M5.500 7V4.700a2.500 2.500 0 0 1 4.800-1" />
  </Icon>
);

export const UndoIcon = () => (
  <Icon>
    <path d="M5.500 3 2.500 6l3 3M2.500 6H10a3.500 3.500 0 0 1 0 7H6.500" />
  </Icon>
);

export const RedoIcon = () => (
  <Icon>
    <path d="m10.500 3 3 3-3 3M13.500 6H6a3.500 3.500 0 0 0 0 7h3.500" />
  </Icon>
);

export const HelpIcon = () => (
  <Icon>
    <rect x="1.500" y="4" width="13" height="8.500" rx="1.500" />
    <path d="M4 6.800h.01M6.700 6.800h.01M9.300 6.800h.01M12 6.800h.01M5 10h6" />
  </Icon>
);

export const UpIcon = () => (
  <Icon>
    <path d="m4 10 4-4 4 4" />
  </Icon>
);

export const DownIcon = () => (
  <Icon>
    <path d="m4 6 4 4 4-4" />
  </Icon>
);

export const TrashIcon = () => (
  <Icon>
    <path d="M2.500 4.500h11M6 4.500V3h4v1.500M4 4.500l.6 8.500h6.800l.6-8.500M6.700 7v3.500M9.300 7v3.500" />
  </Icon>
);
