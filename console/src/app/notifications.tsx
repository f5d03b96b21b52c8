/** Messages above the pages, each until it is dismissed; successes go by themselves with the next one. */

import Flashbar, { type FlashbarProps } from "@cloudscape-design/components/flashbar";
import { type ReactNode, useCallback, useState } from "react";

export type Notify = (type: "success" | "error" | "warning" | "info", content: ReactNode, header?: string) => void;

interface Message {
  readonly id: number;
  readonly type: FlashbarProps.Type;
  readonly content: ReactNode;
  readonly header?: string;
}

let last = 0;

export function useNotifications(): { messages: Message[]; notify: Notify; dismiss: (id: number) => void } {
  const [messages, setMessages] = useState<Message[]>([]);
  const notify = useCallback<Notify>((type, content, header) => {
    const message: Message = { id: ++last, type, content, header };
    setMessages((before) => [message, ...before.filter((each) => each.type !== "success")].slice(0, 4));
  }, []);
  const dismiss = useCallback((id: number) => setMessages((before) => before.filter((each) => each.id !== id)), []);
  return { messages, notify, dismiss };
}

export function Notifications({ messages, dismiss, connected }: {
  messages: Message[]; dismiss: (id: number) => void; connected: boolean;
}) {
  const items: FlashbarProps.MessageDefinition[] = messages.map(({ id, ...shown }) => ({
    id: String(id), ...shown, dismissible: true, dismissLabel: "Dismiss", onDismiss: () => dismiss(id),
  }));
  if (!connected) {
    items.unshift({
      id: "connection", type: "error", loading: true, header: "The connection to the server is lost",
      content: "This page goes on by itself once the server answers again. Nothing that you typed is lost.",
    });
  }
  return <Flashbar items={items} />;
}
