/** All rows, in the order of the table. A row is one file or one export of a file here, and one line below. */
import type { Row, RowName } from '../row.js';
import { memory, sqlite } from './publish.js';
import { answerer, raw } from './raw.js';

export const ROWS: readonly Row[] = [raw, answerer, memory, sqlite];

export function rowOf(name: string): Row {
  const row = ROWS.find((candidate) => candidate.name === name);
  if (row) return row;
  throw new Error(`no row ${name}; there are: ${ROWS.map((r): RowName => r.name).join(', ')}`);
}
