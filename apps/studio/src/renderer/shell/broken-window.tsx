import { Component, type ReactNode } from "react";
import { strings } from "../strings.ts";

/**
 * Catches what breaks while the window is drawn. The show does not stop with it: captures, compositor, encoder and link live
 * outside of what is drawn.
 */
export class BrokenWindow extends Component<{ readonly children: ReactNode }, { readonly error: Error | undefined }> {
  override state = { error: undefined as Error | undefined };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    const words = strings.shell.broken;
    return (
      <div className="curtain" role="alert">
        <h2 className="h">{words.title}</h2>
        <p>{words.detail}</p>
        <p className="label num">{error.message}</p>
        <div className="row">
          <button type="button" className="btn arc" onClick={() => this.setState({ error: undefined })}>
            {words.again}
          </button>
          <button type="button" className="btn" onClick={() => location.reload()}>
            {words.reload}
          </button>
        </div>
      </div>
    );
  }
}
