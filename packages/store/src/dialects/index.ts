import type { Dialect, DialectName } from '../session.js';
import { mysql } from './mysql.js';
import { postgres } from './postgres.js';
import { sqlite } from './sqlite.js';

/** Their drivers are loaded when they open a session, so that one that is not installed hurts nobody else. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { sqlite, mysql, postgres };
