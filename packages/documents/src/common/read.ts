/** Pieces that the readers share. `place` names the node in an error. */
import { Namespace } from '../namespaces.js';
import { attributeOf, childNamed, childrenNamed, elementsOf, textOf, type XmlElement } from '../xml/element.js';
import { documentError } from '../xml/errors.js';
import { checkDateTime, checkOneOf, readInteger } from '../xml/values.js';
import type { Note, Ranged, Versioned } from './model.js';

/** A value under its name, or nothing when there is none. */
export function field<K extends string, const T>(name: K, value: T | undefined): { readonly [key in K]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [key in K]: T });
}

/** A list under its name, or nothing when it is empty. */
export function list<K extends string, T>(name: K, items: readonly T[]): { readonly [key in K]?: readonly T[] } {
  return field(name, items.length === 0 ? undefined : items);
}

/** Value of an attribute without the white space around it. */
export function trimmed(node: XmlElement, name: string): string | undefined {
  return attributeOf(node, name)?.trim();
}

/** As `trimmed`, and neither missing nor empty. */
export function required(node: XmlElement, name: string, place: string): string {
  const value = trimmed(node, name);
  if (value) return value;
  throw documentError(place, `has no attribute ${name}`);
}

/** A number of seconds, a CSeq: 0 or more. */
export function count(node: XmlElement, name: string, place: string): number | undefined {
  const value = trimmed(node, name);
  return value === undefined ? undefined : readInteger(value, `${place}/@${name}`, 0);
}

/** An attribute with one of these values. */
export function optionalOneOf<const V extends string>(
  node: XmlElement,
  name: string,
  known: readonly V[],
  place: string,
): V | undefined {
  const value = trimmed(node, name);
  return value === undefined ? undefined : checkOneOf(value, known, `${place}/@${name}`);
}

export function versioned(root: XmlElement): Versioned {
  return {
    version: readInteger(required(root, 'version', root.name), `${root.name}/@version`, 0),
    state: checkOneOf(required(root, 'state', root.name), ['full', 'partial'], `${root.name}/@state`),
  };
}

export function language(node: XmlElement): { readonly lang?: string } {
  return field('lang', attributeOf(node, 'lang', Namespace.XML) || undefined);
}

export function id(node: XmlElement): { readonly id?: string } {
  return field('id', trimmed(node, 'id'));
}

export function ranged(node: XmlElement, place: string): Ranged {
  return { ...id(node), ...dateTime('from', node, 'from', place), ...dateTime('until', node, 'until', place) };
}

/** An attribute of type xs:dateTime. */
export function dateTime<K extends string>(
  name: K,
  node: XmlElement,
  attribute: string,
  place: string,
): { readonly [key in K]?: string } {
  const value = trimmed(node, attribute);
  return field(name, value === undefined ? undefined : checkDateTime(value, `${place}/@${attribute}`));
}

export function note(node: XmlElement, place: string): Note {
  return { text: textOf(node, place), ...language(node) };
}

export function notes(node: XmlElement, namespace: string, name: string, place: string): Note[] {
  return childrenNamed(node, namespace, name).map((one) => note(one, `${place}/${name}`));
}

export function timestamp(node: XmlElement, namespace: string, place: string): { readonly timestamp?: string } {
  const found = childNamed(node, namespace, 'timestamp', place);
  if (found === undefined) return {};
  return { timestamp: checkDateTime(textOf(found, `${place}/timestamp`).trim(), `${place}/timestamp`) };
}

/** Children of any namespace but this one, without those that have a field; one in no namespace is nobody's extension. */
export function extensions(
  node: XmlElement,
  own: string,
  hasField: (child: XmlElement) => boolean = () => false,
): XmlElement[] {
  return elementsOf(node).filter((e) => e.namespace !== own && e.namespace !== '' && !hasField(e));
}
