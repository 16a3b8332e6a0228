import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StorePort } from '@pua/core';
import { openStore } from '@pua/store';
import Database from 'better-sqlite3';
import type { DatabaseFixture } from './database';

export interface SqliteFixture extends DatabaseFixture {
  readonly directory: string;
  readonly file: string;
  /** Makes an empty file. */
  touch(): Promise<void>;
}

/** A directory with no database in it. */
export async function emptyFixture(): Promise<SqliteFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'pua-store-'));
  const file = join(directory, 'pua.db');
  const stores: StorePort[] = [];
  return {
    directory,
    file,
    touch: () => writeFile(file, ''),
    store(options) {
      const store = openStore(`sqlite:${file}`, options);
      stores.push(store);
      return store;
    },
    async sql(statement) {
      const db = new Database(file, { fileMustExist: true });
      try {
        const prepared = db.prepare<[], Record<string, unknown>>(statement);
        if (prepared.reader) return prepared.all();
        prepared.run();
        return [];
      } finally {
        db.close();
      }
    },
    async dispose() {
      await Promise.allSettled(stores.map((store) => store.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

let template: Promise<Buffer> | null = null;

/** As the store makes it: loading knex for each test would take most of the time. */
async function makeTemplate(): Promise<Buffer> {
  const fixture = await emptyFixture();
  const store = fixture.store();
  await store.open();
  await store.close();
  const database = await readFile(fixture.file);
  await fixture.dispose();
  return database;
}

/** A database with empty tables. */
export async function sqliteFixture(): Promise<SqliteFixture> {
  template ??= makeTemplate();
  const fixture = await emptyFixture();
  await writeFile(fixture.file, await template);
  return fixture;
}
