/**
 * Rows on their way between the threads. A structured clone costs by the number of values, so a row of thirty crosses
 * as one string, its document, and a slice of one array of numbers that is handed over rather than copied. Half the
 * cost of arrays of values. Documents stay apart: a slice of the text would keep an old document in memory.
 */
import { isUtf8 } from 'node:buffer';
import type { PuaRow } from '@pua/core';
import { COLUMNS, KEY_INDEX, type Value } from './columns.js';

export interface PackedRows {
  readonly count: number;
  /** Per row: its strings, one behind the other. */
  readonly texts: string[];
  readonly documents: (string | Uint8Array | null)[];
  /** Per row STRIDE numbers: the id, then per column its integer, or the length of its string, -1 for null. */
  readonly numbers: Float64Array<ArrayBuffer>;
}

const WIDTH = COLUMNS.length;
const STRIDE = WIDTH + 1;
const NAMES = COLUMNS.map((column) => column.name);

const INT = 0;
const STRING = 1;
const NULLABLE = 2;
const DOCUMENT = 3;
/** What is asked for each value of each row: a small array of bytes is looked up faster than properties. */
const KINDS = Uint8Array.from(COLUMNS, ({ nullable, type }) =>
  type === 'int' ? INT : type === 'document' ? DOCUMENT : nullable === true ? NULLABLE : STRING,
);

export class RowPacker {
  private readonly texts: string[] = [];
  private readonly documents: PackedRows['documents'] = [];
  private readonly numbers: Float64Array<ArrayBuffer>;
  private text = '';
  private document: string | Uint8Array | null = null;

  constructor(capacity: number) {
    this.numbers = new Float64Array(capacity * STRIDE);
  }

  /** @throws TypeError that names the column whose value does not fit it; the row is left out then */
  addRow(row: PuaRow): void {
    this.text = '';
    for (let i = 0; i < WIDTH; i++) {
      const value = row[NAMES[i]!];
      this.put(i, value);
      if (isTooLarge(i, value)) throw tooLarge(i, value as string | number);
    }
    this.commit();
  }

  /**
   * The id, then the columns, as read from the table. Databases give bytes for text: what is UTF-8 becomes a string.
   * @throws TypeError as above
   */
  addValues(values: readonly unknown[]): void {
    if (values[KEY_INDEX + 1] === null) throw new TypeError('it has no record_key (written by Kamailio, or by hand)');
    this.text = '';
    this.numbers[this.texts.length * STRIDE] = Number(values[0]);
    for (let i = 0; i < WIDTH; i++) {
      const value = values[i + 1];
      this.put(i, Buffer.isBuffer(value) ? fromBytes(value) : value);
    }
    this.commit();
  }

  finish(): PackedRows {
    const { texts, documents, numbers } = this;
    return { count: texts.length, texts, documents, numbers };
  }

  private commit(): void {
    this.texts.push(this.text);
    this.documents.push(this.document);
  }

  private put(index: number, value: unknown): void {
    const kind = KINDS[index];
    const slot = this.texts.length * STRIDE + 1 + index;
    if (kind === INT) {
      if (!Number.isSafeInteger(value)) throw misfit(index, value);
      this.numbers[slot] = value as number;
    } else if (kind === DOCUMENT) {
      this.document = documentOf(index, value);
    } else if (typeof value === 'string') {
      this.numbers[slot] = value.length;
      if (value.length > 0) this.text += value;
    } else if (value === null && kind === NULLABLE) {
      this.numbers[slot] = -1;
    } else {
      throw misfit(index, value);
    }
  }
}

function documentOf(index: number, value: unknown): string | Uint8Array | null {
  if (value === null || typeof value === 'string') return value;
  if (!(value instanceof Uint8Array)) throw misfit(index, value);
  // A view is cloned with the whole buffer behind it (a received packet, a pool): copy it out first.
  return value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value);
}

const fromBytes = (bytes: Buffer): string | Buffer => (isUtf8(bytes) ? bytes.toString() : bytes);

const INT_LEAST = -(2 ** 31);
const INT_MOST = 2 ** 31 - 1;
/** A UTF-16 code unit is three bytes of UTF-8 at most: short strings need not be measured. */
const BYTES_PER_UNIT = 3;
const SIZES = COLUMNS.map(({ size }) => size ?? Number.POSITIVE_INFINITY);

/** The same limits on every database, so that a table can move from one to another. */
function isTooLarge(index: number, value: unknown): boolean {
  if (typeof value === 'number') return value < INT_LEAST || value > INT_MOST;
  if (typeof value !== 'string' || value.length * BYTES_PER_UNIT <= SIZES[index]!) return false;
  return Buffer.byteLength(value) > SIZES[index]!;
}

function tooLarge(index: number, value: string | number): TypeError {
  const { name, type, size } = COLUMNS[index]!;
  const found = typeof value === 'number' ? 'a number beyond 32 bits' : `${Buffer.byteLength(value)} bytes of ${size}`;
  return new TypeError(`column ${name} (${type}) holds ${found}`);
}

/** Without the value, which may be private. */
function misfit(index: number, value: unknown): TypeError {
  const { name, type } = COLUMNS[index]!;
  const kind = value === null ? 'null' : value instanceof Uint8Array ? 'bytes' : typeof value;
  const detail = kind === 'number' ? 'a number that is no safe integer' : kind;
  return new TypeError(`column ${name} (${type}) holds ${type === 'int' ? detail : kind}`);
}

/** The record_key of one row. */
export function keyAt(rows: PackedRows, index: number): string {
  const values: Value[] = [];
  appendValues(rows, index, values);
  return values[KEY_INDEX] as string;
}

/** Appends the values of one row, in the order of COLUMNS, for binding to a statement. */
export function appendValues(rows: PackedRows, index: number, target: Value[]): void {
  const { numbers } = rows;
  const text = rows.texts[index]!;
  let at = 0;
  for (let i = 0, slot = index * STRIDE + 1; i < WIDTH; i++, slot++) {
    const kind = KINDS[i];
    const number = numbers[slot]!;
    if (kind === INT) target.push(number);
    else if (kind === DOCUMENT) target.push(rows.documents[index]!);
    else if (number < 0) target.push(null);
    else {
      target.push(text.slice(at, at + number));
      at += number;
    }
  }
}

/** Reads row after row, column after column. */
class Cursor {
  private slot = 0;
  private at = 0;
  private text = '';

  constructor(private readonly rows: PackedRows) {}

  row(index: number): PuaRow {
    this.text = this.rows.texts[index]!;
    this.at = 0;
    this.slot = index * STRIDE + 1;
    // In the order of COLUMNS. Spelled out, because a loop over names makes objects four times slower.
    return {
      pres_uri: this.string(),
      pres_id: this.string(),
      event: this.int(),
      expires: this.int(),
      desired_expires: this.int(),
      flag: this.int(),
      etag: this.string(),
      tuple_id: this.nullable(),
      watcher_uri: this.string(),
      call_id: this.string(),
      to_tag: this.string(),
      from_tag: this.string(),
      cseq: this.int(),
      record_route: this.nullable(),
      contact: this.string(),
      remote_contact: this.string(),
      version: this.int(),
      extra_headers: this.string(),
      record_key: this.string(),
      event_name: this.string(),
      document: this.document(index),
      content_type: this.nullable(),
      outbound_proxy: this.nullable(),
      remote_cseq: this.int(),
      subscription_state: this.string(),
      min_expires: this.int(),
      asked_expires: this.int(),
      pending: this.int(),
      not_before: this.int(),
      more: this.nullable(),
    };
  }

  private int(): number {
    return this.rows.numbers[this.slot++]!;
  }

  private string(): string {
    const length = this.rows.numbers[this.slot++]!;
    const from = this.at;
    this.at += length;
    return this.text.slice(from, this.at);
  }

  private nullable(): string | null {
    if (this.rows.numbers[this.slot]! >= 0) return this.string();
    this.slot++;
    return null;
  }

  private document(index: number): string | Uint8Array | null {
    this.slot++;
    return this.rows.documents[index]!;
  }
}

export function unpackRows(rows: PackedRows): PuaRow[] {
  const cursor = new Cursor(rows);
  const unpacked: PuaRow[] = [];
  for (let i = 0; i < rows.count; i++) unpacked.push(cursor.row(i));
  return unpacked;
}
