/** Sees how an application answers a request, and lets it. */
import type { AnsweringResponse } from '../srf.js';

export interface Acceptance {
  /** Lines of its Contact. */
  readonly contacts: readonly string[];
  readonly expires: string | undefined;
}

/** Calls `accepted` once, after the application has sent a 2xx; `response.send()` does what it did. */
export function onAccepted(response: AnsweringResponse, accepted: (answer: Acceptance) => void): void {
  const { send } = response;
  let isFinal = false;
  response.send = (status, ...rest) => {
    const answer = !isFinal && status >= 200 && status < 300 ? acceptanceOf(response, rest) : undefined;
    const sent = send.call(response, status, ...rest);
    isFinal ||= status >= 200;
    if (answer) accepted(answer);
    return sent;
  };
}

/** Fields that it has set before, and those of the options in `send(status, reason?, options?, callback?)`. */
function acceptanceOf(response: AnsweringResponse, rest: readonly unknown[]): Acceptance {
  const options = rest.find((one) => typeof one === 'object' && one !== null) as { headers?: object } | undefined;
  const given = Object.entries(options?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const lines = (...names: readonly string[]) => [
    ...[response.get(names[0]!)].filter((line) => line !== undefined),
    ...given.flatMap(([name, value]) => (names.includes(name!) ? [value!] : [])),
  ];
  return { contacts: lines('contact', 'm'), expires: lines('expires')[0] };
}
