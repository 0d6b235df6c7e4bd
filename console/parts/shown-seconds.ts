const units = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** A span in the largest unit that it is a whole number of. */
export function shownSeconds(seconds: number): string {
  const unit = units.find(([, size]) => seconds >= size && seconds % size === 0);
  const [name, size] = unit ?? ['second', 1];
  const count = seconds / size;
  return `${count.toLocaleString()} ${name}${count === 1 ? '' : 's'}`;
}
