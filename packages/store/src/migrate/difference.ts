/** From the form a table has to the one it should have. */
import type { IndexForm, TableForm } from '../form.js';
import type { ColumnDefinition, Definition } from './definition.js';

export interface Difference {
  readonly dropIndexes: readonly IndexForm[];
  readonly dropColumns: readonly string[];
  readonly changeColumns: readonly (ColumnDefinition & { readonly from: string })[];
  readonly addColumns: readonly ColumnDefinition[];
  readonly addIndexes: readonly IndexForm[];
  /** The type that `id` is to get; null: it has it. */
  readonly idType: string | null;
  /** The engine is to be one with transactions. */
  readonly engine: boolean;
}

const sameIndex = (a: IndexForm, b: IndexForm): boolean =>
  a.unique === b.unique && a.columns.join() === b.columns.join();

/** @param own columns that only our form has: they go when they are not wanted; others are users' and stay */
export function differenceOf(found: TableForm, wanted: Definition, own: readonly string[]): Difference {
  const forms = new Map(found.columns.map((form) => [form.name.toLowerCase(), form]));
  const names = new Set(wanted.columns.map(({ name }) => name));
  const dropColumns = own.filter((name) => forms.has(name) && !names.has(name));
  const changeColumns = wanted.columns.flatMap((column) => {
    const form = forms.get(column.name);
    if (form === undefined) return [];
    const same = (form.type === null || form.type === column.type) && form.nullable === column.nullable;
    return same ? [] : [{ ...column, from: form.type ?? 'not null' }];
  });
  const dropIndexes = found.indexes.filter((index) => {
    const wantedSo = wanted.indexes.some((one) => sameIndex(one, index));
    return !wantedSo && (index.unique || index.columns.some((name) => dropColumns.includes(name)));
  });
  const id = forms.get('id')?.type;
  return {
    dropIndexes,
    dropColumns,
    changeColumns,
    addColumns: wanted.columns.filter(({ name }) => !forms.has(name)),
    addIndexes: wanted.indexes.filter((index) => !found.indexes.some((one) => sameIndex(one, index))),
    idType: id === null || id === wanted.idType ? null : wanted.idType,
    engine: !found.transactional,
  };
}

const listed = (columns: readonly { readonly name: string }[]): string => columns.map(({ name }) => name).join(', ');

/** For people; empty: there is none. */
export function sentencesOf(difference: Difference): string[] {
  const { addColumns, addIndexes, changeColumns, dropColumns, dropIndexes, engine, idType } = difference;
  const on = (index: IndexForm) => `${index.unique ? 'unique ' : ''}index ${index.name} (${index.columns.join(', ')})`;
  return [
    ...dropIndexes.map((index) => `drop the ${on(index)}`),
    ...(dropColumns.length > 0 ? [`drop the columns ${dropColumns.join(', ')}`] : []),
    ...changeColumns.map(({ from, name, type }) => `change column ${name} from ${from} to ${type}`),
    ...(idType === null ? [] : [`change column id to ${idType}`]),
    ...(addColumns.length > 0 ? [`add the columns ${listed(addColumns)}`] : []),
    ...addIndexes.map((index) => `add the ${on(index)}`),
    ...(engine ? ['change its engine to one that knows transactions'] : []),
  ];
}
