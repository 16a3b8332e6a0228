/** Parameters of the Contact header field: as bindings have them, and as `unknown-param` has them, with their quotes. */
import type { Binding } from '@pua/core';
import type { RegistrationContact } from '@pua/documents';

type Params = NonNullable<RegistrationContact['params']>;

const TOKEN = /^[\w.!%*+`'~-]+$/;
/** Feature tags always have quotes around their value (RFC 3840 section 9). */
const FEATURE_TAG =
  /^(?:\+.*|actor|application|audio|automata|class|control|data|description|duplex|events|extensions|isfocus|language|methods|mobility|priority|schemes|text|type|video)$/i;
/** They have attributes, elements or fields of their own. */
const ELSEWHERE = /^(?:q|expires|\+sip\.instance|reg-id|pub-gruu|temp-gruu)$/i;

const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;

export function writeParams({ instance, regId, params = {} }: Binding): Params {
  const written: { name: string; value: string }[] = [];
  if (instance !== undefined) written.push({ name: '+sip.instance', value: quoted(`<${instance}>`) });
  if (regId !== undefined) written.push({ name: 'reg-id', value: String(regId) });
  for (const [name, value] of Object.entries(params)) {
    if (ELSEWHERE.test(name)) continue;
    if (value === true) written.push({ name, value: '' });
    else written.push({ name, value: FEATURE_TAG.test(name) || !TOKEN.test(value) ? quoted(value) : value });
  }
  return written;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.replace(/^"|"$/g, '').replace(/\\(.)/gs, '$1') : value;
}

/** By name; true: without a value. Values without their quotes. */
export function readParams(params: Params = []): Record<string, string | true> {
  return Object.fromEntries(params.map(({ name, value }) => [name, value === '' ? true : unquoted(value)]));
}

/** What of it a binding has fields for, and the rest. */
export function bindingParams(given: Params | undefined): Pick<Binding, 'instance' | 'regId' | 'params'> {
  const found: { instance?: string; regId?: number } = {};
  const params: Record<string, string | true> = {};
  for (const [name, value] of Object.entries(readParams(given))) {
    if (value !== true && /^\+sip\.instance$/i.test(name)) found.instance = value.replace(/^<(.*)>$/s, '$1');
    else if (value !== true && /^reg-id$/i.test(name) && /^\d{1,9}$/.test(value)) found.regId = Number(value);
    else params[name] = value;
  }
  return Object.keys(params).length === 0 ? found : { ...found, params };
}
