/** The sources of a module as one. */
import type { Binding, RegistrationSource } from '@pua/core';
import { DEFAULT_TABLE } from './record.js';

/** What sources have told by themselves of an AOR. */
export type Siblings = ReadonlyMap<RegistrationSource, readonly Binding[]>;

export interface Place {
  /** As the source has it. */
  readonly aor: string;
  readonly table: string;
}

export class Sources {
  /** @param onlyTable the only one that is looked at; null: all of them */
  constructor(
    readonly all: readonly RegistrationSource[],
    readonly onlyTable: string | null,
  ) {}

  /** Those that can tell all they have. */
  get telling(): readonly RegistrationSource[] {
    return this.all.filter((one) => one.snapshot !== undefined);
  }

  /** Where a binding is, and where one is looked for without saying so. */
  tableOf({ table }: Pick<Binding, 'table'> = {}): string {
    return table ?? this.onlyTable ?? DEFAULT_TABLE;
  }

  isLookedAt(table: string): boolean {
    return this.onlyTable === null || table === this.onlyTable;
  }

  /** All bindings of an AOR, of any origin; a source is not asked for what it has told. */
  async bindings({ aor, table }: Place, told: Siblings = new Map()): Promise<Binding[]> {
    const lists = this.all.map((one) => told.get(one) ?? one.bindings?.(aor, table) ?? []);
    return (await Promise.all(lists)).flat();
  }

  /** Further AORs of its set, as sources write them. */
  async identities(aor: string): Promise<string[]> {
    return (await Promise.all(this.all.map((one) => one.identities?.(aor) ?? []))).flat();
  }
}
