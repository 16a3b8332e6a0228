import type { PuaRow } from '@pua/core';
import fc from 'fast-check';
import { COLUMNS, type Column, type Value } from '../dist/columns.js';
import { appendValues, RowPacker, unpackRows } from '../dist/packed-rows.js';

function anyValue(column: Column): fc.Arbitrary<Value> {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  if (column.type === 'int') return fc.maxSafeInteger();
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

test('a value of a wrong type is refused by its column, whichever it is, and leaves no trace', () => {
  const [good] = fc.sample(
    rows.filter((all) => all.length > 0),
    { numRuns: 1, seed: 1 },
  )[0]!;
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
