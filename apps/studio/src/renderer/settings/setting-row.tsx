import type { ReactNode } from "react";

/** One setting: what it is, what it means, and its control at the right. */
export function SettingRow(props: {
  readonly title: string;
  readonly detail?: string | undefined;
  readonly htmlFor?: string;
  readonly children: ReactNode;
}) {
  const { title, detail, htmlFor, children } = props;
  return (
    <div className="setting">
      <div className="grow">
        {htmlFor === undefined ? <span>{title}</span> : <label htmlFor={htmlFor}>{title}</label>}
        {detail === undefined ? null : <p className="hint">{detail}</p>}
      </div>
      {children}
    </div>
  );
}
