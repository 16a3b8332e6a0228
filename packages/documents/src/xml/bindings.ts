import { Namespace } from '../namespaces.js';
import { shorten } from './errors.js';

/** Namespace bindings in scope, innermost last: one flat stack that an end tag cuts back. */
export class Bindings {
  /** How many there are: to be given to `cut` when an element ends. */
  count = 2;
  private readonly prefixes: string[] = ['xml', ''];
  private readonly names: string[] = [Namespace.XML, ''];

  /** For the next document. */
  reset(): void {
    this.count = 2;
  }

  cut(count: number): void {
    this.count = count;
  }

  /**
   * Binds a prefix ('' is the default namespace).
   * @returns what is wrong with the declaration (Namespaces in XML 1.0, section 3), or undefined.
   */
  bind(prefix: string, name: string): string | undefined {
    if (prefix === 'xmlns') return 'the prefix xmlns must not be declared';
    if (prefix !== '' && name === '') return `the prefix ${shorten(prefix)} is bound to no namespace`;
    if (name === Namespace.XMLNS || (prefix === 'xml') !== (name === Namespace.XML)) {
      return 'only the prefix xml stands for the namespace of XML, and none for that of xmlns';
    }
    this.prefixes[this.count] = prefix;
    this.names[this.count] = name;
    this.count++;
    return undefined;
  }

  /** Namespace of the prefix that stands at `start`, nothing being the default one; undefined for one that is not bound. */
  resolve(codes: Uint16Array, start: number, end: number): string | undefined {
    for (let i = this.count - 1; i >= 0; i--) {
      const prefix = this.prefixes[i]!;
      if (prefix.length !== end - start) continue;
      let at = start;
      while (at < end && codes[at] === prefix.charCodeAt(at - start)) at++;
      if (at === end) return this.names[i];
    }
    return undefined;
  }
}
