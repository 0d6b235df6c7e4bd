import { useEffect, useRef } from 'react';

/** Calls `tick` again and again while the page is visible; never where `seconds` is 0. */
export function useInterval(seconds: number, tick: () => void): void {
  const latest = useRef(tick);
  useEffect(() => {
    latest.current = tick;
  });
  useEffect(() => {
    if (seconds === 0) return;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') latest.current();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
}
