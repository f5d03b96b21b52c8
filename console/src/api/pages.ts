/** All that an operation lists, whatever number of answers it takes. */
export async function all<Page, Item>(pages: AsyncIterable<Page>, of: (page: Page) => readonly Item[] | undefined): Promise<Item[]> {
  const found: Item[] = [];
  for await (const page of pages) found.push(...(of(page) ?? []));
  return found;
}
