/** Values that must never be shown: tokens, passwords, what a URL holds before its `@`. */

export const MASK = '***';
const SHORTEST = 4;

/** `mysql://user:secret@host` -> `mysql://user:***@host`, also in SIP URIs. */
export function maskUrl(text: string): string {
  return text.replace(/\b([a-z][a-z0-9+.-]*:(?:\/\/)?[^\s:@/,"']*):([^\s@/]+)@/gi, `$1:${MASK}@`);
}

/** Hides the secrets it was told of wherever they occur in a text. */
export class Secrets {
  readonly #values = new Set<string>();

  add(value: unknown): void {
    if (typeof value === 'string' || typeof value === 'number') this.#values.add(String(value));
  }

  /** The passwords in a URL. */
  addUrl(url: string): void {
    for (const [, password] of url.matchAll(/:([^\s:@/]+)@/g)) this.add(password);
  }

  hide(text: string): string {
    let hidden = maskUrl(text);
    // The longest first: one secret may be a part of another. As JSON writes them, they look different.
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) {
      // What is shorter hides nothing and would only garble the text.
      if (value.length < SHORTEST) continue;
      hidden = hidden.replaceAll(value, MASK).replaceAll(JSON.stringify(value).slice(1, -1), MASK);
    }
    return hidden;
  }
}
