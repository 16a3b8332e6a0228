/** Pieces that the writers share. `place` names the element in an error. */
import { Namespace } from '../namespaces.js';
import { attribute, element, type XmlAttribute, type XmlElement } from '../xml/element.js';
import { documentError } from '../xml/errors.js';
import { checkDateTime, checkInteger, checkLanguage, checkOneOf, type IdRegister } from '../xml/values.js';
import type { Note, Ranged, Versioned } from './model.js';

export function optionalAttribute(name: string, value: string | undefined): XmlAttribute[] {
  return value === undefined ? [] : [attribute(name, value)];
}

/** A number of seconds, a CSeq: 0 or more. */
export function countAttribute(name: string, value: number | undefined, place: string): XmlAttribute[] {
  return value === undefined ? [] : [attribute(name, String(checkInteger(value, `${place}/@${name}`, 0)))];
}

/** A version is a number of 32 bits (RFC 3680 section 5.1, RFC 4235 section 4.1). */
export function versionAttributes({ version, state }: Versioned, place: string): XmlAttribute[] {
  return [
    attribute('version', String(checkInteger(version, `${place}/@version`, 0, 0xffffffff))),
    attribute('state', checkOneOf(state, ['full', 'partial'], `${place}/@state`)),
  ];
}

export function idAttribute(id: string | undefined, place: string, ids: IdRegister): XmlAttribute[] {
  return id === undefined ? [] : [attribute('id', ids.check(id, place))];
}

export function rangedAttributes({ id, from, until }: Ranged, place: string, ids: IdRegister): XmlAttribute[] {
  return [
    ...idAttribute(id, place, ids),
    ...dateTimeAttribute('from', from, place),
    ...dateTimeAttribute('until', until, place),
  ];
}

export function dateTimeAttribute(name: string, value: string | undefined, place: string): XmlAttribute[] {
  return value === undefined ? [] : [attribute(name, checkDateTime(value, `${place}/@${name}`))];
}

export function noteElement(namespace: string, name: string, note: Note, place: string): XmlElement {
  const attributes =
    note.lang === undefined
      ? []
      : [attribute('lang', checkLanguage(note.lang, `${place}/${name}/@xml:lang`), Namespace.XML)];
  return element(namespace, name, attributes, note.text === '' ? [] : [note.text]);
}

export function addNotes(
  children: XmlElement[],
  namespace: string,
  notes: readonly Note[] | undefined,
  place: string,
): void {
  for (const note of notes ?? []) children.push(noteElement(namespace, 'note', note, place));
}

export function addTimestamp(
  children: XmlElement[],
  namespace: string,
  timestamp: string | undefined,
  place: string,
): void {
  if (timestamp === undefined) return;
  children.push(element(namespace, 'timestamp', [], [checkDateTime(timestamp, `${place}/timestamp`)]));
}

/**
 * The schemas take as an extension what is in some namespace, and not in that of the element it stands in. What has a field
 * goes there, where its value is checked and its number counted.
 */
export function addExtensions(
  children: XmlElement[],
  own: string,
  extensions: readonly XmlElement[] | undefined,
  place: string,
  hasField: (extension: XmlElement) => boolean = () => false,
): void {
  for (const extension of extensions ?? []) {
    if (extension.namespace === own || extension.namespace === '') {
      throw documentError(`${place}/${extension.name}`, 'an extension must be in a namespace of its own');
    }
    if (hasField(extension)) {
      throw documentError(`${place}/${extension.name}`, 'is no extension: it has a field of its own');
    }
    children.push(extension);
  }
}
