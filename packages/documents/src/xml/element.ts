import { documentError, shorten } from './errors.js';

/** An attribute; `namespace` '' is the usual case of an attribute without prefix. */
export interface XmlAttribute {
  readonly namespace: string;
  readonly name: string;
  readonly value: string;
}

/**
 * An element as the reader gives it and the writer takes it. Names are local names, prefixes are the writer's business: a
 * qualified name inside a text or a value (`xsi:type="x:y"`) is not understood.
 */
export interface XmlElement {
  /** Namespace name; '' for none. */
  readonly namespace: string;
  readonly name: string;
  readonly attributes: readonly XmlAttribute[];
  /** Elements and texts in document order; no two texts side by side, none empty. */
  readonly children: readonly (XmlElement | string)[];
}

const NOTHING: readonly never[] = [];

export function element(
  namespace: string,
  name: string,
  attributes: readonly XmlAttribute[] = NOTHING,
  children: readonly (XmlElement | string)[] = NOTHING,
): XmlElement {
  return { namespace, name, attributes, children };
}

export function attribute(name: string, value: string, namespace = ''): XmlAttribute {
  return { namespace, name, value };
}

export function isNamed(node: XmlElement, namespace: string, name: string): boolean {
  return node.name === name && node.namespace === namespace;
}

export function elementsOf(parent: XmlElement): XmlElement[] {
  return parent.children.filter((child) => typeof child !== 'string');
}

export function childrenNamed(parent: XmlElement, namespace: string, name: string): XmlElement[] {
  return elementsOf(parent).filter((child) => isNamed(child, namespace, name));
}

/** The only child of that name; undefined when there is none. `place` names the parent in the error for a second one. */
export function childNamed(parent: XmlElement, namespace: string, name: string, place: string): XmlElement | undefined {
  const found = childrenNamed(parent, namespace, name);
  if (found.length > 1) throw documentError(place, `more than one ${name}`);
  return found[0];
}

export function attributeOf(node: XmlElement, name: string, namespace = ''): string | undefined {
  return node.attributes.find((a) => a.name === name && a.namespace === namespace)?.value;
}

/** Text of an element that holds nothing but text. */
export function textOf(node: XmlElement, place: string): string {
  let text = '';
  for (const child of node.children) {
    if (typeof child !== 'string')
      throw documentError(place, `only text is allowed here, found the element ${shorten(child.name)}`);
    text += child;
  }
  return text;
}
