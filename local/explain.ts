/** What a start that failed says to whoever started it: the cause, and what to do about it. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port, address } = error as NodeJS.ErrnoException & {
    readonly port?: number;
    readonly address?: string;
  };
  if (code === 'EADDRINUSE') {
    return `port ${port} on ${address} is taken; stop what listens there, or choose another with MQTT_PORT, MQTTS_PORT or HTTP_PORT (0 picks a free one)`;
  }
  if (code === 'EACCES' && port !== undefined) {
    return `port ${port} on ${address} may not be opened by this user; choose one of 1024 or above with MQTT_PORT, MQTTS_PORT or HTTP_PORT`;
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `BIND_HOST ${address ?? ''} is no address of this machine`;
  return error.message;
}
