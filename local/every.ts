/** Runs a task again and again, each run after the one before; its timer never keeps the process alive. */
export function every(pauseMs: number, task: () => Promise<void>): () => Promise<void> {
  let stopped = false;
  let running: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(() => {
      running = task()
        .catch(() => undefined)
        .finally(() => {
          if (!stopped) next();
        });
    }, pauseMs).unref();
  };
  next();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
