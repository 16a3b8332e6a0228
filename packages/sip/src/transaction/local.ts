/** Answers that the engine gives by itself. None of them needs a transaction: the same request gets the same answer. */
import type { Headers } from '@pua/core';
import type { RequestMessage } from '../message/parse.js';
import type { Answer } from '../message/write.js';

/** What we say of ourselves in Allow, Accept and Allow-Events; asked for each time. */
export interface Capabilities {
  allow: () => readonly string[];
  accept: () => readonly string[];
  allowEvents: () => readonly string[];
}

const RETRY_AFTER_SECONDS = '10';

export const OVERLOADED: Answer = { status: 503, headers: [['Retry-After', RETRY_AFTER_SECONDS]] };

function notAllowed(capabilities: Capabilities): Answer {
  return { status: 405, headers: [['Allow', capabilities.allow().join(', ')]] };
}

function options(capabilities: Capabilities): Answer {
  const headers: Headers = [
    ['Allow', capabilities.allow().join(', ')],
    ['Accept', capabilities.accept().join(', ')],
    ['Allow-Events', capabilities.allowEvents().join(', ')],
  ];
  return { status: 200, headers: headers.filter(([, value]) => value !== '') };
}

/** The answer to methods that never reach a handler; undefined for the others. ACK has none and is dropped before. */
export function localAnswer(method: string, capabilities: Capabilities): Answer | undefined {
  switch (method) {
    case 'INVITE':
      return notAllowed(capabilities);
    case 'OPTIONS':
      return options(capabilities);
    case 'CANCEL':
      // There is nothing to cancel: INVITEs are refused at once, other requests can't be cancelled (RFC 3261 9.2).
      return { status: 481 };
    default:
      return undefined;
  }
}

/** The answer to a request that no handler wants. A NOTIFY belongs to a subscription, which we don't have. */
export function passedAnswer(request: RequestMessage, capabilities: Capabilities): Answer {
  return request.toTag !== undefined || request.method === 'NOTIFY' ? { status: 481 } : notAllowed(capabilities);
}
