/** The 200 to a REGISTER: every binding there is, each with the time it has left (RFC 3261 10.3, step 8). */
import type { Binding, Headers } from '@pua/core';
import type { RegisterRequest } from './request.js';
import { optionTags } from './request.js';

const SUPPORTED = 'path, outbound';

export function accepted(
  { request, path }: RegisterRequest,
  bindings: readonly Binding[],
  wall: number,
  outbound: boolean,
): Headers {
  const headers: (readonly [string, string])[] = bindings.map((binding) => ['Contact', contactValue(binding, wall)]);
  headers.push(['Date', dateValue(wall)], ['Supported', SUPPORTED]);
  if (outbound) headers.push(['Require', 'outbound']);
  // RFC 3327 5.3: who has not asked for it is not shown it.
  if (path !== undefined && optionTags(request.headers, 'Supported').includes('path')) headers.push(['Path', path]);
  return headers;
}

/** A permanent binding is there for as long as anybody can say. */
const PERMANENT = 2 ** 31 - 1;

function contactValue(binding: Binding, wall: number): string {
  const { contact, expiresAt, q, instance, regId, pubGruu, tempGruu, params } = binding;
  // It lives: when it should not by now, the clock was put right since.
  const seconds = expiresAt === 0 ? PERMANENT : Math.max(1, Math.ceil((expiresAt - wall) / 1000));
  let value = `<${contact}>;expires=${seconds}`;
  if (q !== undefined) value += `;q=${q}`;
  if (instance !== undefined) value += `;+sip.instance=${quote(`<${instance}>`)}`;
  if (regId !== undefined) value += `;reg-id=${regId}`;
  if (pubGruu !== undefined) value += `;pub-gruu=${quote(pubGruu)}`;
  if (tempGruu !== undefined) value += `;temp-gruu=${quote(tempGruu)}`;
  for (const name in params) value += parameter(name, params[name]!);
  return value;
}

/** RFC 3261 25.1 */
export const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

function parameter(name: string, value: string | true): string {
  // What is no name can't be written as one.
  if (!TOKEN.test(name)) return '';
  if (value === true) return `;${name}`;
  return `;${name}=${TOKEN.test(value) ? value : quote(value)}`;
}

const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

let shown = { second: Number.NaN, text: '' };

/** Once per second: it is the same for every answer of that second. */
function dateValue(wall: number): string {
  const second = Math.floor(wall / 1000);
  if (shown.second !== second) shown = { second, text: new Date(second * 1000).toUTCString() };
  return shown.text;
}
