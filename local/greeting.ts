// What `npm start` says once all of it answers. Each line that begins with two spaces is a command to paste.

import { inUrl, reachableHost } from './hosts.ts';

export interface Greeting {
  readonly bindHost: string;
  readonly dataDir: string;
  readonly apiToken: string;
  readonly mqttPort: number;
  readonly mqttsPort: number;
  readonly httpPort: number;
}

export function buildGreeting({ bindHost, dataDir, apiToken, mqttPort, mqttsPort, httpPort }: Greeting): string {
  const host = reachableHost(bindHost);
  const origin = `http://${inUrl(host)}:${httpPort}`;
  // A token of one's own is not printed.
  const isDefault = apiToken === 'local';
  const bearer = `"Authorization: Bearer ${isDefault ? apiToken : '$API_TOKEN'}"`;
  const sub = `npx mqtt sub --protocolVersion 5 -h ${host} -p ${mqttPort} -u alice -P alice-secret`;
  return `Headcount runs on ${bindHost}: MQTT, MQTT over TLS, HTTP API, console; state in ${dataDir}
Console: ${origin}/
Set a limit of one session${isDefault ? '' : ', in a terminal where API_TOKEN is set'}:
  curl -X PUT ${origin}/v1/deployments/demo/session-limit -H ${bearer} -H 'Content-Type: application/json' -d '{"maxSessionsPerUsername":1}'
Connect a client that stays:
  ${sub} -i first -t demo/hello
In another terminal, the next client is told "Quota exceeded":
  ${sub} -i second -t demo/hello
ready mqtt=${mqttPort} mqtts=${mqttsPort} http=${httpPort}
`;
}
