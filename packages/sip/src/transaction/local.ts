/** Answers that the engine gives by itself. None of them needs a transaction: the same request gets the same answer. */
import type { Headers } from '@pua/core';
import type { RequestMessage } from '../message/parse.js';
import type { Answer } from '../message/write.js';

/** What we say of ourselves in Allow, Accept, Allow-Events and Supported; asked for each time. */
export interface Capabilities {
  allow: () => readonly string[];
  accept: () => readonly string[];
  allowEvents: () => readonly string[];
  supported: () => readonly string[];
}

const RETRY_AFTER_SECONDS = '10';

export const OVERLOADED: Answer = { status: 503, headers: [['Retry-After', RETRY_AFTER_SECONDS]] };

/** A list for a header field; what could break out of its line is no method, type or tag. */
function listed(values: readonly string[]): string {
  return values.filter((value) => !/[\0\r\n]/.test(value)).join(', ');
}

function notAllowed(capabilities: Capabilities): Answer {
  return { status: 405, headers: [['Allow', listed(capabilities.allow())]] };
}

function options(capabilities: Capabilities): Answer {
  const headers: Headers = [
    ['Allow', listed(capabilities.allow())],
    ['Accept', listed(capabilities.accept())],
    ['Allow-Events', listed(capabilities.allowEvents())],
    ['Supported', listed(capabilities.supported())],
  ];
  return { status: 200, headers: headers.filter(([, value]) => value !== '') };
}

/** RFC 3261 8.2.2.1, 8.2.2.3: another scheme than ours, or an extension that we don't have. */
function unsupported(request: RequestMessage, capabilities: Capabilities): Answer | undefined {
  if (!/^sips?:/i.test(request.uri)) return { status: 416 };
  const { head } = request;
  if (head.find('Require', 0) < 0) return undefined;
  const known = new Set(capabilities.supported().map((tag) => tag.toLowerCase()));
  const required = head.all('Require').flatMap((value) => value.split(',').map((tag) => tag.trim()));
  const unknown = required.filter((tag) => tag !== '' && !known.has(tag.toLowerCase()));
  return unknown.length > 0 ? { status: 420, headers: [['Unsupported', unknown.join(', ')]] } : undefined;
}

/** The answer to a request that never reaches a handler; undefined for the others. ACK has none and is dropped before. */
export function localAnswer(request: RequestMessage, capabilities: Capabilities): Answer | undefined {
  switch (request.method) {
    case 'INVITE':
      return notAllowed(capabilities);
    case 'CANCEL':
      // There is nothing to cancel: INVITEs are refused at once, other requests can't be cancelled (RFC 3261 9.2).
      return { status: 481 };
    case 'OPTIONS':
      return unsupported(request, capabilities) ?? options(capabilities);
    default:
      return unsupported(request, capabilities);
  }
}

/** The answer to a request that no handler wants. A NOTIFY belongs to a subscription, which we don't have. */
export function passedAnswer(request: RequestMessage, capabilities: Capabilities): Answer {
  return request.toTag !== undefined || request.method === 'NOTIFY' ? { status: 481 } : notAllowed(capabilities);
}
