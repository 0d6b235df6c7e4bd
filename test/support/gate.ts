export interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

/** What somebody waits at until a test, or what it watches, says so. */
export function createGate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
