/**
 * What the parts of the program say to a value: their own checks, so that there is only one truth. Making them opens
 * nothing; start() and open() would.
 */
import { createPua, optionName, PuaError, type PuaParameterName } from '@pua/core';
import { type ConnectingOptions, drachtioSip } from '@pua/drachtio';
import { type MiOptions, mi } from '@pua/mi';
import { embeddedSip, type SipTlsOptions } from '@pua/sip';
import { openStore } from '@pua/store';
import type { Check } from './leaf.js';

const LOOPBACK = 'udp:127.0.0.1:0';

/** Complaint of `make` about its input; the name of the option is left out, the key path says it already. */
function complaint(make: () => unknown, remedy: string): string | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (!(error instanceof PuaError)) throw error;
    const what = error.message.replace(/^(?:mi )?[A-Za-z]+(?: \([a-z_]+\))?(?: "[^"]*")?:? /, '');
    const split = what.replace(/: (?=use |write |choose )/, '; ');
    return split.includes('; ') ? split : `${split}; ${remedy}`;
  }
}

/** The address alone: whether there is a certificate for tls and wss is another question. */
export const listenFault: Check = (value) => {
  const address = String(value).replace(/^tls:/i, 'tcp:').replace(/^wss:/i, 'ws:');
  return complaint(() => embeddedSip({ listen: [address] }), 'names can not be listened on');
};

/** What is wrong with the files of `sip.tls`, and under which key. */
export function tlsFault(tls: SipTlsOptions): { readonly key: string; readonly message: string } | undefined {
  try {
    embeddedSip({ listen: [LOOPBACK], tls });
    return undefined;
  } catch (error) {
    if (!(error instanceof PuaError)) throw error;
    const [, key, message] = /^tls\.(\w+): (.*)$/s.exec(error.message) ?? [];
    return { key: key ?? 'cert', message: (message ?? error.message).replaceAll('tls.', 'sip.tls.') };
  }
}

export const advertiseFault: Check = (value) =>
  complaint(() => embeddedSip({ listen: [LOOPBACK], advertise: String(value) }), 'such as 192.0.2.1:5060');

export const drachtioFault =
  (option: keyof ConnectingOptions): Check =>
  (value) =>
    complaint(() => drachtioSip({ [option]: value }), 'leave it out for the default');

export const storeFault: Check = (value) =>
  complaint(() => openStore(String(value)), 'such as sqlite:./pua.db, or memory: for none');

export const tableFault: Check = (value) =>
  complaint(() => openStore('memory:', { table: String(value) }), 'leave it out for pua');

/** Values that the core knows but does not do (yet). */
export const coreFault =
  (name: PuaParameterName): Check =>
  (value) =>
    complaint(
      () => createPua({ sip: embeddedSip({ listen: [LOOPBACK] }), [optionName(name)]: value }),
      'leave it out for the default',
    );

export const miFault = (options: MiOptions): string | undefined => complaint(() => mi(options), 'see the README');

/** What is wrong with the options of a module, and with which of its keys; key '': with all of them together. */
export function moduleFault(make: () => unknown): { readonly key: string; readonly message: string } | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (!(error instanceof PuaError)) throw error;
    const [, option = '', documented, rest = ''] =
      /^\w+ (?:([a-zA-Z]+)(?: \(([a-z_]+)\))?(?:\[\d+\]\S*)?: )?(.*)$/s.exec(error.message) ?? [];
    const key = documented ?? option.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    return { key, message: rest.includes('; ') ? rest : `${rest}; see the README of the package` };
  }
}
