/** The frame around all pages: who calls, where, and which page. */

import AppLayoutToolbar from "@cloudscape-design/components/app-layout-toolbar";
import Box from "@cloudscape-design/components/box";
import I18nProvider from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import Spinner from "@cloudscape-design/components/spinner";
import { useEffect, useMemo, useState } from "react";
import { health, watchConnection } from "../api/connection";
import { DEFAULT_REGION, anybody, chooseAccount, isAccount, isRegion } from "../api/session";
import { ErrorBoundary } from "../components/ErrorBoundary";
import { ProblemAlert } from "../components/ProblemAlert";
import { useLoad } from "../components/useLoad";
import { lazily } from "../components/lazily";
import { CreatePage } from "../pages/create/CreatePage";
import { useLeaveWarning } from "../pages/code/drafts";
import { FunctionPage } from "../pages/function/FunctionPage";
import { FunctionsPage } from "../pages/functions/FunctionsPage";
import { SignInPage } from "../pages/signin/SignInPage";
import { SwitchDialog, WhoDialog } from "./AccountDialogs";
import { Breadcrumbs } from "./Breadcrumbs";
import { ChoiceDialog, REGIONS } from "./ChoiceDialog";
import { LeaveDialog } from "./LeaveDialog";
import { Navigation } from "./Navigation";
import { Notifications, useNotifications } from "./notifications";
import { leaving } from "./leaving";
import { type Location, addressOf, locationOf } from "./places";
import { pageTitle } from "./titles";
import { TopBar } from "./TopBar";
import { ConsoleContext } from "./context";
import { navigate, usePath } from "./router";
import { useSession } from "./useSession";

const LayersPages = lazily("layers", () => import("../pages/layers/LayersPages"));
const AccountPage = lazily("the account", () => import("../pages/account/AccountPage"));

const REGION = "ingle.region";

export function App() {
  const location = locationOf(usePath());
  const region = location.region !== undefined && isRegion(location.region) ? location.region : (localStorage.getItem(REGION) ?? DEFAULT_REGION);
  const { loaded, reload } = useLoad(health);
  const { messages: told, notify, dismiss } = useNotifications();
  const [asking, setAsking] = useState<"region" | "account" | "who" | "role">();
  const [connected, setConnected] = useState(true);
  const verified = loaded.state === "ready" ? loaded.value.authentication === "iam" : undefined;
  const { session, ended, begin, change, signOut } = useSession(verified, region, notify);
  useLeaveWarning();
  useEffect(() => watchConnection(setConnected), []);
  useEffect(() => localStorage.setItem(REGION, region), [region]);
  useEffect(() => {
    if (location.page === "functions" && location.region === undefined) navigate(addressOf(region, location), { replace: true });
  });
  useEffect(() => {
    document.title = `${pageTitle(location)} - Ingle`;
  });
  const given = useMemo(() => session && { session, region, notify }, [session, region, notify]);

  return (
    <I18nProvider locale="en" messages={[messages]}>
      <div id="top">
        <TopBar
          session={session} region={region} signedIn={verified === true} onAccount={() => setAsking("account")}
          onRegion={() => setAsking("region")} onSignOut={() => leaving(signOut)} onWho={() => setAsking("who")} onSwitch={() => setAsking("role")}
          onBack={() => leaving(() => session?.from && change(session.from))}
        />
      </div>
      <AppLayoutToolbar
        headerSelector="#top"
        navigation={<Navigation location={location} region={region} />}
        navigationHide={session === undefined}
        navigationWidth={200}
        toolsHide
        contentType={location.page === "functions" ? "table" : "default"}
        ariaLabels={{ notifications: "Messages", navigation: "Parts of the console", navigationToggle: "Open the parts", navigationClose: "Close the parts" }}
        notifications={<Notifications messages={told} dismiss={dismiss} connected={connected} />}
        stickyNotifications
        breadcrumbs={session && <Breadcrumbs location={location} region={region} />}
        content={
          loaded.state === "loading" ? <Box><Spinner /> Loading</Box>
          : loaded.state === "failed" ? <ProblemAlert problem={loaded.problem} retry={reload} />
          : given ? (
            <ConsoleContext.Provider value={given}>
              <ErrorBoundary key={`${given.session.account} ${given.session.arn} ${location.page}`}><Content location={location} /></ErrorBoundary>
            </ConsoleContext.Provider>
          )
          : verified ? <SignInPage region={region} ended={ended} onDone={begin} /> : null
        }
      />
      {asking === "region" && (
        <ChoiceDialog
          label="Region" description="Every region has functions of its own." options={REGIONS}
          problemOf={(text) => (isRegion(text) ? undefined : "A region is named like us-east-1.")} onClose={() => setAsking(undefined)}
          onDone={(chosen) => { setAsking(undefined); navigate(addressOf(chosen, { page: "functions" })); }}
        />
      )}
      {asking === "account" && (
        <ChoiceDialog
          label="Account" description="Without authentication every account is open: 12 digits of your choice." options={[]}
          problemOf={(text) => (isAccount(text) ? undefined : "An account has 12 digits.")} onClose={() => setAsking(undefined)}
          onDone={(chosen) => {
            setAsking(undefined);
            leaving(() => { chooseAccount(chosen); begin(anybody(chosen)); navigate(addressOf(region, { page: "functions" })); });
          }}
        />
      )}
      <LeaveDialog />
      {asking === "who" && given && <WhoDialog place={given} onClose={() => setAsking(undefined)} />}
      {asking === "role" && given && <SwitchDialog place={given} onDone={(next) => leaving(() => change(next))} onClose={() => setAsking(undefined)} />}
    </I18nProvider>
  );
}

function Content({ location }: { location: Location }) {
  switch (location.page) {
    case "functions":
      return <FunctionsPage />;
    case "create":
      return <CreatePage />;
    case "function":
      return <FunctionPage key={`${location.name}:${location.qualifier}`} {...location} />;
    case "account":
      return <AccountPage section={location.section} item={location.item} />;
    case "layers":
    case "create-layer":
    case "layer":
      return <LayersPages at={location} />;
    case "unknown":
      return <ProblemAlert problem={{ kind: "refused", message: `There is no page ${location.path}.` }} />;
  }
}
