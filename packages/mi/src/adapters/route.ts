/** Routes that modules have registered: `POST path` in, the module's answer out; errors are `{ "error": text, "fault": name }`. */
import type { IncomingHttpHeaders } from 'node:http';
import type { CommandContext, HttpAnswer, HttpRoute } from '@pua/core';
import type { Fault } from '../faults.js';

export async function answerRoute(
  route: HttpRoute,
  body: unknown,
  headers: IncomingHttpHeaders,
  context: CommandContext,
): Promise<HttpAnswer> {
  const single = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return await route.run({ body, headers: Object.fromEntries(single) }, context);
}

export function routeFailure({ fault, message, details, row }: Fault): HttpAnswer {
  return { status: row.http, body: { error: message, fault, ...details } };
}
