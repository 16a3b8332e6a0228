import { PuaError } from '@pua/core';

/** Error of a document: `place` is a path such as `presence/tuple[2]/contact`, or a line and column. */
export function documentError(place: string, what: string, cause?: unknown): PuaError {
  return new PuaError('PUA_ERR_DOCUMENT', `${place}: ${what}`, cause === undefined ? undefined : { cause });
}

/** Line and column (both from 1; a column is a UTF-16 unit) of an offset, in words. */
export function position(source: string, offset: number): string {
  let line = 1;
  let lineStart = 0;
  for (const match of source.slice(0, offset).matchAll(/\r\n?|\n/g)) {
    line++;
    lineStart = match.index + match[0].length;
  }
  return `line ${line}, column ${offset - lineStart + 1}`;
}

/** A piece of somebody's document in a message: quoted, control characters escaped, at most 40 characters. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text));
}

/** A name of somebody's document in a message. */
export function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

/** A root that is not the one expected. */
export function wrongRoot(
  found: { readonly name: string; readonly namespace: string },
  name: string,
  namespace: string,
): PuaError {
  const root = shorten(found.name);
  return documentError(
    root,
    `the root must be ${name} in the namespace ${quote(namespace)}, not ${root} in ${quote(found.namespace)}`,
  );
}
