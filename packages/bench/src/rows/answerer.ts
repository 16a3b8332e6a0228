/** The server of the rows that publish against the one of the ceiling: what those could reach at most. */
import { exchange, RAW } from '../load/raw.js';
import type { Row } from '../row.js';

export const answerer: Row = {
  name: 'answerer',
  what: 'node:dgram request/response with the server that answers in SIP',
  unit: 'k/s',
  n: 1,
  ours: exchange('sip'),
  against: RAW,
};
