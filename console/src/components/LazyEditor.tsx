import { lazily } from "./lazily";

export const LazyEditor = lazily("the editor", () => import("../pages/code/Editor"));
