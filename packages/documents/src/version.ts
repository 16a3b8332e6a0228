/** The root's `version` of dialog-info (RFC 4235 section 4.1) and reginfo (RFC 3680 section 5.1), set without building a DOM. */
import { wrongRoot } from './xml/errors.js';
import { scan } from './xml/scanner.js';

/**
 * The document with this `version`; nothing else in it changes.
 * @throws PuaError `PUA_ERR_DOCUMENT`: not well-formed, another root.
 */
export function setVersion(body: string, version: number, root: { readonly name: string; readonly namespace: string }) {
  let from = 0;
  let to = 0;
  let value = String(version);
  scan(body, (tag) => {
    if (tag.depth > 1) return;
    if (tag.namespace !== root.namespace || !tag.isNamed(root.name)) {
      throw wrongRoot({ name: tag.localName(), namespace: tag.namespace }, root.name, root.namespace);
    }
    const present = tag.valueRange('version');
    if (present === null) value = ` version="${value}"`;
    [from, to] = present ?? [tag.nameEnd, tag.nameEnd];
  });
  return body.slice(0, from) + value + body.slice(to);
}
