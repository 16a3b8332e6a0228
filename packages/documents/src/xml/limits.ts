import { documentError } from './errors.js';

/** How much a document may cost. */
export interface XmlLimits {
  /** Size in bytes of UTF-8; default 262144 (256 kB). */
  readonly maxBytes?: number;
  /** Nesting of elements, the root being 1; default 64. */
  readonly maxDepth?: number;
}

export const DEFAULT_MAX_BYTES = 256 * 1024;
export const DEFAULT_MAX_DEPTH = 64;
/** Attributes of one element, and namespace declarations in scope: keeps the search for a double one short. */
export const MAX_ATTRIBUTES = 256;
/** Elements, attributes, comments, CDATA sections and processing instructions: tiny ones cost a parser far more than their bytes. */
export const MAX_MARKUP = 20_000;

/** @throws PuaError `PUA_ERR_DOCUMENT` */
export function checkSize(source: string, { maxBytes = DEFAULT_MAX_BYTES }: XmlLimits): void {
  // A UTF-16 unit is one to three bytes of UTF-8, so nearly always the length alone decides.
  if (source.length <= maxBytes && (source.length * 3 <= maxBytes || Buffer.byteLength(source) <= maxBytes)) return;
  throw documentError('document', `larger than ${maxBytes} bytes`);
}
