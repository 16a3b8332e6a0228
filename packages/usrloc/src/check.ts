/** What sources tell, checked: a source may be anybody's. */
import { type Binding, type BindingEvent, PuaError } from '@pua/core';

const KINDS: readonly string[] = ['insert', 'update', 'delete', 'expire'] satisfies BindingEvent['kind'][];

/** @throws PuaError `PUA_ERR_ARGUMENT` that names the field */
export function checkEvent({ kind, binding, previous }: BindingEvent): void {
  if (!KINDS.includes(kind)) fail(`kind must be insert, update, delete or expire, not ${JSON.stringify(kind)}`);
  checkBinding(binding);
  if (previous !== undefined) checkBinding(previous);
}

/** @throws PuaError `PUA_ERR_ARGUMENT` that names the field */
export function checkBinding(binding: Binding): void {
  if (typeof binding !== 'object' || binding === null) fail('it has no binding');
  const { aor, expiresAt, bindingId, contact, callId } = binding;
  if (typeof aor !== 'string') fail('aor must be a text');
  if (typeof expiresAt !== 'number' || Number.isNaN(expiresAt))
    fail(`expiresAt must be milliseconds since 1970, 0 for a permanent binding, not ${String(expiresAt)}`);
  if (!bindingId && !contact && !callId) fail('one of bindingId, contact or callId must tell it from other bindings');
}

function fail(what: string): never {
  throw new PuaError('PUA_ERR_ARGUMENT', `what a source tells: ${what}`);
}
