/**
 * Body processor of `presence`: gives every tuple, person and device its id, without building a DOM.
 *
 *   stored id | first tuple | its id in the result | stored afterwards
 *   none      | id="x"      | x                    | x
 *   none      | no id       | a new one            | the new one
 *   s         | id="x"      | x                    | s
 *   s         | no id       | s                    | s
 *   none      | no tuple    | -                    | a new one if something needs one, else none
 *
 * The stored id is not used a second time where somebody else in the document has it already. What else lacks an id gets one made from the stored id, the kind and the position (`s-t2`, `s-p1`, `s-d1`), so that it
 * stays the same in every document of a chain of modifications (RFC 3903 section 4.4) with nothing more to store.
 */
import type { BodyProcessor } from '@pua/core';
import { Namespace } from '../namespaces.js';
import { documentError, quote, wrongRoot } from '../xml/errors.js';
import { type StartTag, scan } from '../xml/scanner.js';

const { PIDF, DATA_MODEL, RPID, XML } = Namespace;

/** Width of the column `tuple_id`, and of an id that we make. */
export const MAX_ID_LENGTH = 64;

type Kind = 'tuple' | 'person' | 'device';

interface Missing {
  readonly kind: Kind;
  /** Position among those of its kind, from 1. */
  readonly index: number;
  /** Where the attribute goes. */
  readonly at: number;
}

/**
 * See above. The document is not changed otherwise, and is the very same string when nothing is missing.
 * @throws PuaError `PUA_ERR_DOCUMENT`: not well-formed, no presence document, neither tuple nor person nor device, two equal
 * ids, an empty id, a first id of more than 64 characters that would have to be stored.
 */
export const setPresenceIds: BodyProcessor = ({ body, tupleId, newId }) => {
  const found = new IdScan();
  scan(body, (tag) => found.visit(tag));
  if (found.count.tuple + found.count.person + found.count.device === 0) {
    throw documentError('presence', 'has neither tuple nor person nor device');
  }
  found.requireUnique();
  // A row of Kamailio may hold an empty text for none.
  const known = tupleId || found.firstTupleId;
  if (!tupleId && known !== null && known.length > MAX_ID_LENGTH) {
    throw documentError('presence/tuple[1]', `the id ${quote(known)} has more than ${MAX_ID_LENGTH} characters`);
  }
  if (found.missing.length === 0) return { body, tupleId: known };
  const stored = known ?? ncName(newId());
  return { body: insertIds(body, found, stored), tupleId: stored };
};

/** What one pass over a document finds. */
class IdScan {
  readonly count = { tuple: 0, person: 0, device: 0 };
  readonly missing: Missing[] = [];
  firstTupleId: string | null = null;
  /** Ids of type xs:ID; all of them unique in a valid document. */
  readonly ids: string[] = [];
  /** Attributes called `id` of unknown elements: perhaps ids, and avoided when we make one. */
  readonly otherIds: string[] = [];

  visit(tag: StartTag): void {
    if (tag.depth === 1 && !(tag.namespace === PIDF && tag.isNamed('presence'))) {
      throw wrongRoot({ name: tag.localName(), namespace: tag.namespace }, 'presence', PIDF);
    }
    const kind = tag.depth === 2 ? kindOf(tag) : null;
    const xmlId = tag.attribute('id', XML);
    const id = tag.attribute('id');
    if (xmlId !== null) this.ids.push(xmlId.trim());
    if (kind !== null) this.count[kind]++;
    if (id !== null) this.note(id.trim(), kind, tag);
    else if (kind !== null) this.missing.push({ kind, index: this.count[kind], at: tag.nameEnd });
  }

  requireUnique(): void {
    const { ids } = this;
    for (let i = 1; i < ids.length; i++) {
      // Nearly all documents have two or three.
      if (i > 8) return requireUnique(ids);
      if (ids.indexOf(ids[i]!) !== i) throw double(ids[i]!);
    }
  }

  private note(id: string, kind: Kind | null, tag: StartTag): void {
    if (id === '' && kind !== null) throw documentError(`presence/${kind}[${this.count[kind]}]`, 'has an empty id');
    if (kind === 'tuple' && this.count.tuple === 1) this.firstTupleId = id;
    (kind !== null || hasTypedIds(tag.namespace) ? this.ids : this.otherIds).push(id);
  }
}

function kindOf(tag: StartTag): Kind | null {
  if (tag.namespace === PIDF) return tag.isNamed('tuple') ? 'tuple' : null;
  if (tag.namespace !== DATA_MODEL) return null;
  return tag.isNamed('person') ? 'person' : tag.isNamed('device') ? 'device' : null;
}

/** Is every attribute `id` an xs:ID there? */
function hasTypedIds(namespace: string): boolean {
  return namespace === PIDF || namespace === DATA_MODEL || namespace === RPID;
}

function requireUnique(ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) if (seen.size === seen.add(id).size) throw double(id);
}

function double(id: string) {
  return documentError('presence', `the id ${quote(id)} is there twice; ids must be unique in a document`);
}

function insertIds(body: string, found: IdScan, stored: string): string {
  const used = new Set([...found.ids, ...found.otherIds]);
  let out = '';
  let from = 0;
  for (const { kind, index, at } of found.missing) {
    const first = kind === 'tuple' && index === 1;
    const id = first && !used.has(stored) ? stored : freeId(stored, `${kind[0]}${index}`, used);
    used.add(id);
    out += `${body.slice(from, at)} id="${escapeId(id)}"`;
    from = at;
  }
  return out + body.slice(from);
}

/** An id made from the stored one that nobody in the document has. */
function freeId(stored: string, suffix: string, used: ReadonlySet<string>): string {
  for (let attempt = 1; ; attempt++) {
    const end = attempt === 1 ? `-${suffix}` : `-${suffix}.${attempt}`;
    const id = ncName(stored).slice(0, MAX_ID_LENGTH - end.length) + end;
    if (!used.has(id)) return id;
  }
}

/** A valid xs:ID of at most 64 characters, the same for the same text (Kamailio's `0x7f...` is none). */
function ncName(text: string): string {
  const name = text.replace(/[^A-Za-z0-9_.-]/g, '_');
  return (/^[A-Za-z_]/.test(name) ? name : `_${name}`).slice(0, MAX_ID_LENGTH);
}

/** The stored id may have been somebody else's choice. */
function escapeId(id: string): string {
  return id.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
