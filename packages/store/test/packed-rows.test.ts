import type { PuaRow } from '@pua/core';
import fc from 'fast-check';
import { COLUMNS, type Column, type Value } from '../dist/columns.js';
import { appendValues, RowPacker, unpackRows } from '../dist/packed-rows.js';

const INT_MOST = 2 ** 31 - 1;

function anyValue(column: Column): fc.Arbitrary<Value> {
  const text = fc.string({ unit: 'binary', maxLength: 8 });
  if (column.type === 'int') return fc.integer({ min: -INT_MOST - 1, max: INT_MOST });
  if (column.type === 'document') return fc.oneof(text, fc.uint8Array({ maxLength: 20 }), fc.constant(null));
  return column.nullable === true ? fc.option(text) : text;
}

const row = fc.record(Object.fromEntries(COLUMNS.map((column) => [column.name, anyValue(column)])));
const rows = fc.array(row, { maxLength: 5 }) as unknown as fc.Arbitrary<PuaRow[]>;
const valuesOf = (one: PuaRow): Value[] => COLUMNS.map((column) => one[column.name]);

test('any rows come back as they were packed, as values and as objects, also across a thread', () => {
  fc.assert(
    fc.property(rows, (all) => {
      const packer = new RowPacker(all.length);
      for (const one of all) packer.addRow(one);
      const packed = structuredClone(packer.finish());
      expect(unpackRows(packed)).toEqual(all);
      const values = all.map((_, i) => {
        const target: Value[] = [];
        appendValues(packed, i, target);
        return target;
      });
      expect(values).toEqual(all.map(valuesOf));
      const again = new RowPacker(all.length);
      values.forEach((one, i) => {
        again.addValues([i, ...one]);
      });
      expect(unpackRows(again.finish())).toEqual(all);
    }),
    { numRuns: 100 },
  );
});

const [good] = fc.sample(
  rows.filter((all) => all.length > 0),
  { numRuns: 1, seed: 1 },
)[0]!;

test('a value of a wrong type is refused by its column, whichever it is, and leaves no trace', () => {
  for (const column of COLUMNS) {
    for (const wrong of [undefined, true, {}, Number.NaN, 1n, column.type === 'int' ? '1' : 1]) {
      const packer = new RowPacker(1);
      const text = `column ${column.name} (${column.type}) holds`;
      expect(() => packer.addRow({ ...good!, [column.name]: wrong })).toThrow(text);
      packer.addRow(good!);
      expect(unpackRows(packer.finish())).toEqual([good]);
    }
  }
});

test('a text is refused by its column when it has more bytes of UTF-8 than the column, a number when it has 33 bits', () => {
  const refusal = (change: Partial<PuaRow>): string => {
    const packer = new RowPacker(1);
    try {
      packer.addRow({ ...good!, ...change });
    } catch (error) {
      return (error as Error).message;
    }
    expect(unpackRows(packer.finish())).toEqual([{ ...good!, ...change }]);
    return '';
  };
  for (const { name, type, size } of COLUMNS) {
    if (type === 'int') {
      expect([refusal({ [name]: INT_MOST }), refusal({ [name]: -INT_MOST - 1 })]).toEqual(['', '']);
      const text = `column ${name} (int) holds a number beyond 32 bits`;
      expect([refusal({ [name]: INT_MOST + 1 }), refusal({ [name]: -INT_MOST - 2 })]).toEqual([text, text]);
    }
    if (size === undefined) continue;
    expect(refusal({ [name]: 'x'.repeat(size) })).toBe('');
    expect(refusal({ [name]: 'ß'.repeat(size / 2) })).toBe('');
    expect(refusal({ [name]: 'x'.repeat(size + 1) })).toBe(
      `column ${name} (string) holds ${size + 1} bytes of ${size}`,
    );
    expect(refusal({ [name]: '漢'.repeat(Math.ceil((size + 1) / 3)) })).toMatch(/bytes of/);
  }
});

test('bytes that are UTF-8 are read as text, others as what they are', () => {
  const values = [7, ...COLUMNS.map(({ name }) => good![name])];
  const at = (name: string) => COLUMNS.findIndex((column) => column.name === name) + 1;
  const read = (name: string, bytes: number[]): PuaRow => {
    const packer = new RowPacker(1);
    packer.addValues(values.with(at(name), Buffer.from(bytes)));
    return unpackRows(packer.finish())[0]!;
  };
  expect(read('etag', [0x61, 0xc3, 0x9f]).etag).toBe('aß');
  expect(() => read('etag', [0xff])).toThrow('column etag (string) holds bytes');
  expect(read('document', [0xef, 0xbb, 0xbf, 0x61]).document).toBe('\ufeffa');
  expect(read('document', [0x61, 0xff]).document).toEqual(Buffer.from([0x61, 0xff]));
});
