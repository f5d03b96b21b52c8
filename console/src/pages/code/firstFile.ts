/** The file that is shown first: the handler's, else any. Pure. */
export function firstFile(paths: readonly string[], handler: string): string | undefined {
  const module = handler.split("::")[0]!.replace(/\.[^./]*$/, "").replaceAll(".", "/");
  const [alike] = paths.filter((path) => path.replace(/\.[^./]*$/, "") === module);
  return alike ?? [...paths].sort((one, other) => one.split("/").length - other.split("/").length || one.localeCompare(other))[0];
}
