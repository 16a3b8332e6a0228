import { type EventDefinition, EventFlag } from '@pua/core';
import { setPresenceIds } from './pidf/ids.js';

/** Presence (RFC 3856); tuples, persons and devices without id get one. */
export const presence: EventDefinition = {
  name: 'presence',
  flag: EventFlag.PRESENCE_EVENT,
  contentType: 'application/pidf+xml',
  process: setPresenceIds,
  forks: 'first',
};

/** All events this package defines. */
export const events: readonly EventDefinition[] = [presence];
