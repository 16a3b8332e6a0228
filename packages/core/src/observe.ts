/** Topics of node:diagnostics_channel; metrics, logs and the dashboard subscribe, core knows none of them. */
import { channel } from 'node:diagnostics_channel';
import type { Cause, Reply } from './api.js';
import type { RecordEvent } from './machine.js';

export interface RecordMessage {
  readonly key: string;
  readonly presUri: string;
  readonly event: string;
  readonly type: 'answer' | RecordEvent | 'fault';
  readonly cause?: Cause;
  readonly reply?: Reply;
  readonly error?: unknown;
}

export const channels = {
  publication: channel('pua:publication'),
  subscription: channel('pua:subscription'),
  /** `{ type: 'fault', where, error }`: a handler or callback of a module threw. */
  fault: channel('pua:fault'),
};
