import type { Bindings } from './bindings.js';
import { attributeValue } from './references.js';
import type { Workspace } from './workspace.js';

/** Fields per attribute: offsets of its name, the name's colon (-1: none), the name's end, the value, the value's end. */
const FIELDS = 5;

/** The attributes of one start tag, as offsets into the document; used again for the next tag. */
export class Attributes {
  count = 0;
  /** How many have a prefix and are no namespace declaration. */
  prefixed = 0;
  private readonly fields: number[];
  private readonly codes: Uint16Array;

  constructor(
    private readonly source: string,
    workspace: Workspace,
  ) {
    this.fields = workspace.fields;
    this.codes = workspace.codes;
  }

  clear(): void {
    this.count = 0;
    this.prefixed = 0;
  }

  /** @returns whether it is a namespace declaration. */
  add(start: number, colon: number, nameEnd: number, valueStart: number, valueEnd: number): boolean {
    const { fields } = this;
    const field = this.count * FIELDS;
    fields[field] = start;
    fields[field + 1] = colon;
    fields[field + 2] = nameEnd;
    fields[field + 3] = valueStart;
    fields[field + 4] = valueEnd;
    const declaration = this.isDeclaration(this.count++);
    if (colon >= 0 && !declaration) this.prefixed++;
    return declaration;
  }

  /** Is there an attribute of the very name that stands at `start`? */
  has(start: number, end: number): boolean {
    const { fields, codes } = this;
    for (let field = 0; field < this.count * FIELDS; field += FIELDS) {
      let other = fields[field]!;
      if (fields[field + 2]! - other !== end - start) continue;
      let at = start;
      while (at < end && codes[at] === codes[other]) {
        at++;
        other++;
      }
      if (at === end) return true;
    }
    return false;
  }

  /** `xmlns` or `xmlns:...`? */
  isDeclaration(index: number): boolean {
    const start = this.start(index);
    if (this.codes[start] !== 0x78) return false;
    const end = this.hasPrefix(index) ? this.colon(index) : this.nameEnd(index);
    return end - start === 5 && this.source.startsWith('xmlns', start);
  }

  start(index: number): number {
    return this.fields[index * FIELDS]!;
  }

  hasPrefix(index: number): boolean {
    return this.colon(index) >= 0;
  }

  /** Namespace of one that has a prefix; undefined when the prefix is not bound. */
  namespace(index: number, bindings: Bindings): string | undefined {
    return bindings.resolve(this.codes, this.start(index), this.colon(index));
  }

  localName(index: number): string {
    return this.source.slice(this.localStart(index), this.nameEnd(index));
  }

  value(index: number): string {
    const { codes } = this;
    const start = this.valueStart(index);
    const end = this.valueEnd(index);
    let at = start;
    while (at < end && codes[at]! >= 0x20 && codes[at] !== 0x26) at++;
    const raw = this.source.slice(start, end);
    return at === end ? raw : attributeValue(raw);
  }

  valueStart(index: number): number {
    return this.fields[index * FIELDS + 3]!;
  }

  valueEnd(index: number): number {
    return this.fields[index * FIELDS + 4]!;
  }

  /** Index by name; -1 when there is none. An attribute without prefix is in no namespace, whatever the default is. */
  find(localName: string, namespace: string, bindings: Bindings): number {
    if (this.prefixed === 0 && namespace !== '') return -1;
    for (let index = 0; index < this.count; index++) {
      if (this.hasPrefix(index) !== (namespace !== '')) continue;
      const start = this.localStart(index);
      if (this.nameEnd(index) - start !== localName.length || !this.source.startsWith(localName, start)) continue;
      if (namespace === '' || this.namespace(index, bindings) === namespace) return index;
    }
    return -1;
  }

  private colon(index: number): number {
    return this.fields[index * FIELDS + 1]!;
  }

  private nameEnd(index: number): number {
    return this.fields[index * FIELDS + 2]!;
  }

  private localStart(index: number): number {
    return this.colon(index) < 0 ? this.start(index) : this.colon(index) + 1;
  }
}
