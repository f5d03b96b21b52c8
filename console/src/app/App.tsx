/** The frame around all pages: who calls, where, and which page. */

import AppLayoutToolbar from "@cloudscape-design/components/app-layout-toolbar";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
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
import { ChoiceDialog, REGIONS } from "./ChoiceDialog";
import { Navigation } from "./Navigation";
import { Notifications, useNotifications } from "./notifications";
import { type AccountPlace, type AccountSection, type LayersPlace, type Location, addressOf, locationOf } from "./places";
import { ACCOUNT_TITLES } from "./titles";
import { TopBar } from "./TopBar";
import { ConsoleContext } from "./context";
import { follow, navigate, usePath } from "./router";
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
    document.title = `${titleOf(location)} - Ingle`;
  });
  const given = useMemo(() => session && { session, region, notify }, [session, region, notify]);

  return (
    <I18nProvider locale="en" messages={[messages]}>
      <div id="top">
        <TopBar
          session={session} region={region} signedIn={verified === true} onAccount={() => setAsking("account")}
          onRegion={() => setAsking("region")} onSignOut={signOut} onWho={() => setAsking("who")} onSwitch={() => setAsking("role")}
          onBack={() => session?.from && change(session.from)}
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
          onDone={(chosen) => { setAsking(undefined); chooseAccount(chosen); begin(anybody(chosen)); navigate(addressOf(region, { page: "functions" })); }}
        />
      )}
      {asking === "who" && given && <WhoDialog place={given} onClose={() => setAsking(undefined)} />}
      {asking === "role" && given && <SwitchDialog place={given} onDone={change} onClose={() => setAsking(undefined)} />}
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

function Breadcrumbs({ location, region }: { location: Location; region: string }) {
  if (location.page === "account") return <BreadcrumbGroup items={accountTrail(location, region)} onFollow={follow} ariaLabel="Where this is" />;
  if (location.page === "layers" || location.page === "create-layer" || location.page === "layer") {
    return <BreadcrumbGroup items={layersTrail(location, region)} onFollow={follow} ariaLabel="Where this is" />;
  }
  const functions = { text: "Functions", href: addressOf(region, { page: "functions" }) };
  const items = location.page === "functions" ? [functions] : [functions, { text: titleOf(location), href: "#" }];
  if (location.page === "function" && location.qualifier !== undefined) {
    const { name } = location;
    items.splice(1, 1, { text: name, href: addressOf(region, { page: "function", name, tab: "code" }) }, { text: location.qualifier, href: "#" });
  }
  return <BreadcrumbGroup items={items} onFollow={follow} ariaLabel="Where this is" />;
}

function accountTrail({ section, item }: AccountPlace, region: string): { text: string; href: string }[] {
  const at = (section: AccountSection) => addressOf(region, { page: "account", section });
  const trail = [{ text: "Account", href: at("overview") }];
  if (section !== "overview") trail.push({ text: ACCOUNT_TITLES[section], href: at(section) });
  return item === undefined ? trail : [...trail, { text: item, href: "#" }];
}

function layersTrail(at: LayersPlace, region: string): { text: string; href: string }[] {
  const trail = [{ text: "Layers", href: addressOf(region, { page: "layers" }) }];
  if (at.page !== "layers" && at.name !== undefined) trail.push({ text: at.name, href: addressOf(region, { page: "layer", name: at.name }) });
  if (at.page === "layer" && at.version !== undefined) trail.push({ text: at.version, href: "#" });
  return at.page === "create-layer" ? [...trail, { text: titleOf(at), href: "#" }] : trail;
}

function titleOf(location: Location): string {
  switch (location.page) {
    case "functions":
      return "Functions";
    case "create":
      return "Create function";
    case "function":
      return location.qualifier === undefined ? location.name : `${location.name}:${location.qualifier}`;
    case "account":
      return location.item ?? ACCOUNT_TITLES[location.section];
    case "layers":
      return "Layers";
    case "create-layer":
      return location.name === undefined ? "Create layer" : "Create version";
    case "layer":
      return location.version === undefined ? location.name : `${location.name}:${location.version}`;
    case "unknown":
      return "Not found";
  }
}
