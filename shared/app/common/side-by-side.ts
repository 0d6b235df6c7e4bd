/**
 * Works on `items` side by side, at most `atOnce` at a time, in their order; no further one is begun once `shouldStop`
 * says so. Answers how many were not begun. `work` must not throw.
 */
export async function sideBySide<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
  shouldStop: () => boolean = () => false,
): Promise<number> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < items.length && !shouldStop()) {
      const item = items[begun++];
      if (item !== undefined) await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return items.length - begun;
}
