/** Hands bytes to the browser as a download. */
export function saveAs(name: string, bytes: Uint8Array, type = "application/zip"): void {
  const address = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
