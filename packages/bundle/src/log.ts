/** The log: one JSON line per event, each with a stable `code`, fed by the topics of node:diagnostics_channel. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { PuaError, type RecordMessage } from '@pua/core';
import type { StoreEvent } from '@pua/store';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './config/load.js';

export type { Logger };

export function makeLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination ? pino(options, destination) : pino(options);
}

type Level = 'error' | 'warn' | 'info' | 'debug' | 'trace';

const RECORD_LEVELS: Readonly<Record<string, Level>> = {
  expired: 'info',
  lost: 'warn',
  lapsed: 'info',
  terminated: 'info',
  'document-needed': 'warn',
  'without-etag': 'warn',
  'without-notify': 'warn',
  'without-state': 'warn',
};

const STORE_EVENTS: Readonly<Record<StoreEvent['type'], readonly [Level, code: string, text: string]>> = {
  opened: ['info', 'store.opened', 'the store is open'],
  group: ['trace', 'store.group', 'changes are on disk'],
  failure: ['error', 'store.failure', 'changes could not be written, they will be tried again'],
  backlog: ['warn', 'store.backlog', 'many changes wait to be written'],
  rejected: ['error', 'store.rejected', 'a record can not be written'],
  badRow: ['warn', 'store.bad-row', 'a row can not be read, it was left alone'],
  listener: ['error', 'store.listener', 'a listener of the store failed'],
  leaseLost: ['error', 'store.lease-lost', 'another process has taken the table, nothing is written any more'],
  closed: ['info', 'store.closed', 'the store is closed'],
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function record(logger: Logger, kind: 'publication' | 'subscription', message: RecordMessage): void {
  const { key, presUri, event, type, cause, reply } = message;
  const fields = { key, presUri, event };
  if (type !== 'answer' || !reply) {
    logger[RECORD_LEVELS[type] ?? 'info']({ code: `${kind}.${type}`, ...fields }, `${kind} ${type}`);
    return;
  }
  const { status, reason, received } = reply;
  const what = status < 300 ? 'accepted' : received ? 'refused' : 'unreachable';
  const level: Level = status < 300 ? 'debug' : 'warn';
  logger[level]({ code: `${kind}.${what}`, ...fields, cause, status, reason }, `${kind} ${what}: ${status} ${reason}`);
}

function store(logger: Logger, { type, ...given }: StoreEvent): void {
  const [level, code, text] = STORE_EVENTS[type];
  const { error, ...fields } = given as { error?: unknown };
  logger[level]({ code, ...fields, ...(error === undefined ? {} : { error: messageOf(error) }) }, text);
}

/** Writes what the topics say, until the function that comes back is called. */
export function logTopics(logger: Logger): () => void {
  const topics: readonly (readonly [string, (message: unknown) => void])[] = [
    ['pua:publication', (message) => record(logger, 'publication', message as RecordMessage)],
    ['pua:subscription', (message) => record(logger, 'subscription', message as RecordMessage)],
    ['pua:store', (message) => store(logger, message as StoreEvent)],
    [
      'pua:fault',
      (message) => {
        const { where, error } = message as { where: string; error: unknown };
        const reason = error instanceof PuaError ? { error: error.message, errorCode: error.code } : { err: error };
        logger.error({ code: 'fault', where, ...reason }, `fault in ${where}`);
      },
    ],
  ];
  for (const [name, listener] of topics) subscribe(name, listener);
  return () => {
    for (const [name, listener] of topics) unsubscribe(name, listener);
  };
}
