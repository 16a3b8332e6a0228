/** What all messages of pua_json have in common. */

import { nearest } from '@pua/core';
import { z } from 'zod';
import { text } from '../entries/fields.js';
import { count, realm, user } from './fields.js';

export const common = {
  'Event-Name': z.literal('update', 'must be update'),
  'Event-Package': z.string(),
  'Call-ID': text(255),
  /** Seconds; 0: it is over. */
  Expires: count(0x7fffffff).default(0),
  'From-User': user,
  'From-Realm': realm,
};

/** Every field of every package. */
const VOCABULARY: readonly string[] = [
  ...Object.keys(common),
  ...['From', 'From-URI', 'From-Tag', 'To', 'To-User', 'To-URI', 'To-Tag', 'Direction', 'State'],
  ...['Presentity', 'Presentity-User', 'Presentity-Realm'],
  ...['Messages-Waiting', 'Message-Account', 'MWI-Voice-Message', 'DND-Status'],
  ...['Messages-New', 'Messages-Saved', 'Messages-Urgent', 'Messages-Urgent-Saved'],
];

/**
 * A message with these fields. Its sender may have more of its own, which mean nothing here; but what looks like a field
 * that is written wrongly is refused: a misspelt `Expires` would end a call.
 */
export function message<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.looseObject({ ...common, ...shape }, 'must be an object').superRefine((value, context) => {
    for (const key of Object.keys(value)) {
      if (VOCABULARY.includes(key)) continue;
      const { name, far } = nearest(key, VOCABULARY);
      if (far > (key.length > 5 ? 2 : 1)) continue;
      context.addIssue({ code: 'custom', path: [], message: `unknown field "${key}", did you mean "${name}"?` });
    }
  });
}
