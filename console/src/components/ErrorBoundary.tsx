/** Keeps the frame when a page fails by a mistake in it, and says so. */

import { Component, type ReactNode } from "react";
import { ProblemAlert } from "./ProblemAlert";

export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <ProblemAlert
        problem={{ kind: "refused", message: `This page failed by a mistake of the console: ${error.message}` }}
        retry={() => this.setState({ error: undefined })}
      />
    );
  }
}
