/** The table as a killed process has left it, read from a copy: the next process has to recover the file by itself. */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import type { PuaRow } from '@pua/core';
import Database from 'better-sqlite3';
import type { Snapshot } from '../../dist/crash/protocol';
import { snapshotOf } from '../../dist/crash/talking-store';

export function readTable(file: string): Map<string, Snapshot> {
  const rows = new Map<string, Snapshot>();
  if (!existsSync(file)) return rows;
  const copy = `${file}.copy`;
  for (const part of ['', '-wal', '-shm']) {
    rmSync(copy + part, { force: true });
    // Without the index of the log SQLite reads the log itself, as after any crash.
    if (part !== '-shm' && existsSync(file + part)) copyFileSync(file + part, copy + part);
  }
  const database = new Database(copy);
  try {
    const there = database.prepare(`select 1 from sqlite_master where name = 'pua'`).get();
    if (!there) return rows;
    for (const row of database.prepare('select * from pua').all() as PuaRow[])
      rows.set(row.record_key, snapshotOf(row));
    return rows;
  } finally {
    database.close();
  }
}
