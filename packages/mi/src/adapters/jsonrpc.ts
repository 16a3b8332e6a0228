/**
 * JSON-RPC 2.0 over the commands that are registered: a parsed request goes in, a response comes out. No transport.
 */
import { type Command, channels, PuaError } from '@pua/core';
import type { MiContext } from '../context.js';
import { Fault } from '../faults.js';
import type { Gate } from '../waiting.js';

export type Id = string | number | null;
export interface ResponseError {
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>>;
}
export type Response =
  | { readonly jsonrpc: '2.0'; readonly result: unknown; readonly id: Id }
  | { readonly jsonrpc: '2.0'; readonly error: ResponseError; readonly id: Id };

export interface Answered {
  /** HTTP status that fits; 200 for a batch. */
  readonly http: number;
  /** undefined: only notifications, there is nothing to say. */
  readonly body: Response | readonly Response[] | undefined;
}

export interface Dispatcher {
  readonly command: (name: string) => Command | undefined;
  readonly gate: Gate;
}

/** Calls in one batch; the rest of the limit is the size of the request. */
const MAX_BATCH = 1000;

export function failure(fault: Fault, id: Id, positional = false): Answered & { readonly body: Response } {
  const { code, http, kamailio } = fault.row;
  const data = { fault: fault.fault, ...fault.details, ...(positional ? { kamailio } : {}) };
  return { http, body: { jsonrpc: '2.0', error: { code, message: fault.message, data }, id } };
}

/** @throws Fault `parse` */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Fault('parse', error instanceof SyntaxError ? 'not JSON' : 'not UTF-8 text');
  }
}

/** Answers a parsed request or batch; never throws. */
export async function answer(request: unknown, dispatcher: Dispatcher, context: MiContext): Promise<Answered> {
  if (!Array.isArray(request)) {
    const answered = await one(request, dispatcher, context);
    return answered ?? { http: 204, body: undefined };
  }
  if (request.length === 0) return failure(new Fault('invalid-request', 'the batch is empty'), null);
  if (request.length > MAX_BATCH) {
    return failure(new Fault('invalid-request', `a batch may hold ${MAX_BATCH} calls, not ${request.length}`), null);
  }
  const { gate } = dispatcher;
  const all = await Promise.all(
    request.map(async (single: unknown) => {
      if (!gate.enter()) return failure(overload(), idOf(single));
      try {
        return await one(single, dispatcher, context);
      } finally {
        gate.leave();
      }
    }),
  );
  const bodies = all.flatMap((answered) => (answered ? [answered.body] : []));
  return bodies.length === 0 ? { http: 204, body: undefined } : { http: 200, body: bodies };
}

export const overload = () => new Fault('overload', 'too many calls are in progress; try again later');

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function idOf(request: unknown): Id {
  const id = isObject(request) ? request['id'] : null;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

async function one(
  request: unknown,
  { command }: Dispatcher,
  context: MiContext,
): Promise<(Answered & { readonly body: Response }) | undefined> {
  const invalid = (why: string) => failure(new Fault('invalid-request', why), idOf(request));
  if (!isObject(request)) return invalid('a request must be an object');
  const { jsonrpc, method, params = [], id } = request;
  if (jsonrpc !== '2.0') return invalid('jsonrpc: must be "2.0"');
  if (typeof method !== 'string') return invalid('method: must be a text');
  if (!isObject(params) && !Array.isArray(params)) return invalid('params: must be an array or an object');
  const notification = !Object.hasOwn(request, 'id');
  if (!notification && id !== null && typeof id !== 'string' && typeof id !== 'number') {
    return invalid('id: must be a text, a number or null');
  }
  // Without any argument both styles look alike: the shape of the answer is the named one.
  const positional = Array.isArray(params) && params.length > 0;
  try {
    const found = command(method);
    if (!found) throw new Fault('unknown-method', `unknown method ${method.slice(0, 80)}`);
    const result = await found.run(named(found, params), {
      ...context,
      ...(positional ? { positional: params } : {}),
      ...(notification ? { notification } : {}),
    } as MiContext);
    if (notification) return undefined;
    return { http: 200, body: { jsonrpc: '2.0', result: result ?? {}, id: idOf(request) } };
  } catch (error) {
    const fault = asFault(error, `command ${method.slice(0, 80)}`);
    return notification ? undefined : failure(fault, idOf(request), positional);
  }
}

/** Positional parameters by their names. */
function named({ positional }: Command, params: Record<string, unknown> | unknown[]): Record<string, unknown> {
  if (!Array.isArray(params)) return params;
  if (params.length > positional.length) {
    const order = positional.join(', ') || 'none';
    throw new Fault('invalid-params', `${params.length} arguments given; the order is ${order}`);
  }
  return Object.fromEntries(params.map((value, i) => [positional[i], value]));
}

/** What the caller may know of an error; the rest goes to `pua:fault`. */
export function asFault(error: unknown, where: string): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof PuaError) {
    switch (error.code) {
      case 'PUA_ERR_ARGUMENT':
      case 'PUA_ERR_EVENT_UNKNOWN':
      case 'PUA_ERR_INVALID_MESSAGE':
      case 'PUA_ERR_DOCUMENT':
        return new Fault('invalid-params', error.message);
      case 'PUA_ERR_STATE':
        return new Fault('stopping', error.message);
    }
  }
  channels.fault.publish({ type: 'fault', where, error });
  return new Fault('internal', 'internal error; the log tells more');
}
