import { Namespace, preferredPrefix } from '../namespaces.js';
import { codePointName, illegalCharacter, isNcName } from './chars.js';
import type { XmlAttribute, XmlElement } from './element.js';
import { documentError, quote } from './errors.js';
import { DEFAULT_MAX_DEPTH } from './limits.js';

/**
 * Writes a document: XML declaration, the root's namespace as the default one, all other namespaces declared at the root,
 * no white space of its own. What the reader reads from it is the tree that went in.
 * @throws PuaError `PUA_ERR_DOCUMENT` naming the place: a character illegal in XML 1.0, a name that is no NCName, a tree
 * nested deeper than 64.
 */
export function writeXml(root: XmlElement): string {
  return new Writer(root).document();
}

class Writer {
  readonly #prefixes = new Map<string, string>();
  /** Open elements, for the place in an error. */
  readonly #path: XmlElement[] = [];

  constructor(readonly root: XmlElement) {}

  document(): string {
    const { root } = this;
    this.#checkNamespace(root.namespace);
    this.#path.push(root);
    if (root.namespace === Namespace.XML) throw this.#error('an element must not be in the namespace of XML');
    const start = `${this.#elementName(root)}${this.#attributes(root)}`;
    const content = this.#content(root, root.namespace);
    let declarations = root.namespace === '' ? '' : ` xmlns="${this.#escapeValue(root.namespace)}"`;
    for (const [namespace, prefix] of this.#prefixes)
      declarations += ` xmlns:${prefix}="${this.#escapeValue(namespace)}"`;
    // The root's own name is written last, but stands first: only now all namespaces are known.
    const cut = root.name.length;
    const open = `<${start.slice(0, cut)}${declarations}${start.slice(cut)}`;
    return `<?xml version="1.0" encoding="UTF-8"?>\n${open}${content === '' ? '/>' : `>${content}</${root.name}>`}`;
  }

  /** `defaultNamespace` is what a name without prefix means where this element stands. */
  #element(node: XmlElement, defaultNamespace: string): string {
    this.#path.push(node);
    if (this.#path.length > DEFAULT_MAX_DEPTH) throw this.#error(`nested deeper than ${DEFAULT_MAX_DEPTH} elements`);
    let name = this.#elementName(node);
    let declaration = '';
    let inside = defaultNamespace;
    if (node.namespace !== defaultNamespace) {
      if (node.namespace === '' || node.namespace === this.root.namespace) {
        declaration = ` xmlns="${this.#escapeValue(node.namespace)}"`;
        inside = node.namespace;
      } else name = `${this.#prefix(node.namespace)}:${name}`;
    }
    const attributes = node.attributes.length === 0 ? '' : this.#attributes(node);
    const content = this.#content(node, inside);
    this.#path.pop();
    return content === ''
      ? `<${name}${declaration}${attributes}/>`
      : `<${name}${declaration}${attributes}>${content}</${name}>`;
  }

  #content(node: XmlElement, defaultNamespace: string): string {
    let out = '';
    for (const child of node.children) {
      out += isElement(child) ? this.#element(child, defaultNamespace) : this.#escapeText(child);
    }
    return out;
  }

  #attributes(node: XmlElement): string {
    let out = '';
    const { attributes } = node;
    for (let i = 0; i < attributes.length; i++) {
      const one = attributes[i]!;
      if (isDouble(attributes, i)) throw this.#error(`two attributes ${one.name}`);
      if (one.namespace === '' && one.name === 'xmlns') throw this.#error('a namespace declaration as an attribute');
      const name = this.#name(one.name);
      out += ` ${one.namespace === '' ? name : `${this.#prefix(one.namespace)}:${name}`}="${this.#escapeValue(one.value)}"`;
    }
    return out;
  }

  #prefix(namespace: string): string {
    if (namespace === Namespace.XML) return 'xml';
    let prefix = this.#prefixes.get(namespace);
    if (prefix === undefined) {
      this.#checkNamespace(namespace);
      prefix = preferredPrefix.get(namespace) ?? `ns${this.#prefixes.size + 1}`;
      this.#prefixes.set(namespace, prefix);
    }
    return prefix;
  }

  #checkNamespace(namespace: string): void {
    if (namespace === Namespace.XMLNS) throw this.#error('nothing can be in the namespace of xmlns');
  }

  #elementName(node: XmlElement): string {
    if (node.name === 'xmlns') throw this.#error('an element must not be named xmlns');
    return this.#name(node.name);
  }

  #name(name: string): string {
    if (isNcName(name)) return name;
    throw this.#error(`${quote(name)} is no name: a letter or "_" first, then letters, digits, "-", "_", "."`);
  }

  #escapeText(text: string): string {
    this.#checkText(text);
    if (!specialInText.test(text)) return text;
    this.#checkCharacters(text);
    return text.replace(/[&<>\r]/g, reference);
  }

  #escapeValue(text: string): string {
    this.#checkText(text);
    if (!specialInValue.test(text)) return text;
    this.#checkCharacters(text);
    return text.replace(/[&<>"\t\n\r]/g, reference);
  }

  /** Not everybody writes TypeScript. */
  #checkText(text: unknown): void {
    if (typeof text !== 'string') throw this.#error(`expected a text, not ${text === null ? 'null' : typeof text}`);
  }

  #checkCharacters(text: string): void {
    const at = illegalCharacter(text);
    if (at < 0) return;
    throw this.#error(`the character ${codePointName(text, at)} is illegal in XML 1.0; remove or replace it`);
  }

  #error(what: string): Error {
    return documentError(pathOf(this.#path) || this.root.name, what);
  }
}

/** Everything but the plain characters, so that most strings pass with one test and no copy. */
const specialInText = /[^\t\n !-%'-;=?-~]/;
const specialInValue = /[^ !#-%'-;=?-~]/;

const references: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

function reference(char: string): string {
  return references[char]!;
}

function isElement(child: XmlElement | string): child is XmlElement {
  return typeof child === 'object' && child !== null;
}

function isDouble(attributes: readonly XmlAttribute[], index: number): boolean {
  const { name, namespace } = attributes[index]!;
  for (let i = 0; i < index; i++) {
    if (attributes[i]!.name === name && attributes[i]!.namespace === namespace) return true;
  }
  return false;
}

/** `presence/tuple[2]/note`: with a number where siblings have the same name. */
function pathOf(path: readonly XmlElement[]): string {
  const steps = path.map((node, depth) => {
    const siblings =
      depth === 0 ? [] : path[depth - 1]!.children.filter((c) => typeof c !== 'string' && c.name === node.name);
    return siblings.length > 1 ? `${node.name}[${siblings.indexOf(node) + 1}]` : node.name;
  });
  return steps.join('/');
}
