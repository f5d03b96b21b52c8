/** What is always visible: whose functions these are, and where. */

import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { useState } from "react";
import type { Session } from "../api/session";
import { BASE, addressOf } from "./places";
import { navigate } from "./router";
import { type Theme, chooseTheme, theme } from "./theme";

const THEMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function TopBar({ session, region, signedIn, onAccount, onRegion, onSignOut, onWho, onSwitch, onBack }: {
  session?: Session; region: string; signedIn: boolean; onAccount: () => void; onRegion: () => void; onSignOut: () => void;
  onWho: () => void; onSwitch: () => void; onBack: () => void;
}) {
  const [chosen, setChosen] = useState(theme());
  const account: TopNavigationProps.Utility = signedIn
    ? {
        type: "menu-dropdown", iconName: "user-profile", text: `Account ${session?.account}`, description: session?.arn,
        items: [
          { id: "who", text: "Who am I" },
          { id: "switch", text: "Switch role" },
          ...(session?.from ? [{ id: "back", text: `Switch back to ${nameOf(session.from)}` }] : []),
          { id: "sign-out", text: "Sign out" },
        ],
        onItemClick: ({ detail }) => {
          const does: Record<string, () => void> = { who: onWho, switch: onSwitch, back: onBack, "sign-out": onSignOut };
          does[detail.id]?.();
        },
      }
    : { type: "button", iconName: "user-profile", text: `Account ${session?.account}`, onClick: onAccount };
  return (
    <TopNavigation
      identity={{
        href: session ? addressOf(region, { page: "functions" }) : BASE,
        title: "Ingle",
        logo: { src: `${BASE}/icon.svg`, alt: "A fire" },
        onFollow: (event) => { event.preventDefault(); navigate(addressOf(region, { page: "functions" })); },
      }}
      utilities={[
        ...(session ? [account] : []),
        { type: "button", iconName: "globe", text: region, ariaLabel: `Region ${region}`, onClick: onRegion },
        {
          type: "menu-dropdown", iconName: "settings", ariaLabel: "Appearance", title: "Appearance",
          items: (Object.keys(THEMES) as Theme[]).map((id) => ({ id, text: THEMES[id], itemType: "checkbox", checked: id === chosen })),
          onItemClick: ({ detail }) => { chooseTheme(detail.id as Theme); setChosen(detail.id as Theme); },
        },
      ]}
    />
  );
}

/** `user/ada`, of an ARN. */
function nameOf({ arn = "" }: Session): string {
  return arn.slice(arn.lastIndexOf(":") + 1);
}
