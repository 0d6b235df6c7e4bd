// One reading for many who ask the same at the same time. Nobody is given one that began before it asked, so what it says
// was so after that: it is as good as a reading of one's own.

/** Who asks while a reading is under way waits for the next one, with all who do. */
export function shareReads<Key, Value>(
  nameOf: (key: Key) => string,
  read: (key: Key) => Promise<Value>,
): (key: Key) => Promise<Value> {
  const turns = new Map<string, { readonly going: Promise<Value>; next: Promise<Value> | undefined }>();

  function begin(name: string, key: Key): Promise<Value> {
    const going = read(key);
    const entry = { going, next: undefined };
    turns.set(name, entry);
    const end = (): void => {
      if (turns.get(name) === entry && entry.next === undefined) turns.delete(name);
    };
    going.then(end, end);
    return going;
  }

  return (key) => {
    const name = nameOf(key);
    const entry = turns.get(name);
    if (entry === undefined) return begin(name, key);
    const afterIt = () => begin(name, key);
    entry.next ??= entry.going.then(afterIt, afterIt);
    return entry.next;
  };
}
