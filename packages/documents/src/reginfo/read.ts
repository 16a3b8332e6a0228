import { hasField } from '../common/fields.js';
import { count, extensions, field, list, note, required, trimmed, versioned } from '../common/read.js';
import { Namespace } from '../namespaces.js';
import { attributeOf, childNamed, childrenNamed, isNamed, textOf, type XmlElement } from '../xml/element.js';
import { documentError, wrongRoot } from '../xml/errors.js';
import type { XmlLimits } from '../xml/limits.js';
import { readXml } from '../xml/reader.js';
import { checkOneOf, checkUri, readInteger, readQvalue } from '../xml/values.js';
import {
  type RegInfo,
  type Registration,
  type RegistrationContact,
  type RegistrationEvent,
  registrationEvents,
  registrationStates,
} from './model.js';

const { REGINFO, GRUUINFO } = Namespace;

/**
 * Reads a full or partial document. Elements may stand in any order; those of other namespaces are kept as extensions,
 * unknown ones and unknown attributes are passed over. Forgiven are: a missing `id` (the AOR or the contact's URI is taken), an
 * unknown event (`registered` or `unregistered`, as the state says), a negative `expires` (as none: Kamailio's permanent
 * contacts), an impossible `q` (as none), several `uri` in a contact (as several contacts).
 * @param limits size and depth; default 256 kB, 64 elements.
 * @throws PuaError `PUA_ERR_DOCUMENT` with the line or the place.
 */
export function readRegInfo(xml: string | Uint8Array, limits?: XmlLimits): RegInfo {
  const root = readXml(xml, limits);
  if (!isNamed(root, REGINFO, 'reginfo')) throw wrongRoot(root, 'reginfo', REGINFO);
  return {
    ...versioned(root),
    registrations: childrenNamed(root, REGINFO, 'registration').map(registration),
    ...list('extensions', extensions(root, REGINFO)),
  };
}

function registration(node: XmlElement, index: number): Registration {
  const place = `reginfo/registration[${index + 1}]`;
  const aor = checkUri(required(node, 'aor', place), `${place}/@aor`);
  return {
    aor,
    id: attributeOf(node, 'id') || aor,
    state: checkOneOf(required(node, 'state', place), registrationStates, `${place}/@state`),
    ...list(
      'contacts',
      childrenNamed(node, REGINFO, 'contact').flatMap((c, i) => contacts(c, `${place}/contact[${i + 1}]`)),
    ),
    ...list('extensions', extensions(node, REGINFO)),
  };
}

/** One per URI; that is one in all documents that follow the RFC. */
function contacts(node: XmlElement, place: string): RegistrationContact[] {
  const uris = childrenNamed(node, REGINFO, 'uri').map((uri) =>
    checkUri(textOf(uri, `${place}/uri`).trim(), `${place}/uri`),
  );
  if (uris.length === 0) throw documentError(place, 'has no uri');
  const state = checkOneOf(required(node, 'state', place), ['active', 'terminated'], `${place}/@state`);
  const id = attributeOf(node, 'id');
  const common = {
    state,
    event: event(required(node, 'event', place), state),
    ...displayName(node, place),
    ...field('durationRegistered', count(node, 'duration-registered', place)),
    ...field('expires', expires(node, place)),
    ...field('retryAfter', count(node, 'retry-after', place)),
    ...field('q', readQvalue(trimmed(node, 'q') ?? '')),
    ...field('callId', attributeOf(node, 'callid')),
    ...field('cseq', count(node, 'cseq', place)),
    ...list('params', params(node, place)),
    ...gruus(node, place),
    ...compat(node),
    ...list('extensions', extensions(node, REGINFO, hasField.contact)),
  };
  return uris.map((uri, i) => ({ id: (i === 0 && id) || uri, uri, ...common }));
}

function event(word: string, state: RegistrationContact['state']): RegistrationEvent {
  const known = registrationEvents.find((one) => one === word);
  return known ?? (state === 'active' ? 'registered' : 'unregistered');
}

function displayName(parent: XmlElement, place: string): Pick<RegistrationContact, 'displayName' | 'lang'> {
  const node = childNamed(parent, REGINFO, 'display-name', place);
  if (node === undefined) return {};
  const { text, ...lang } = note(node, `${place}/display-name`);
  return { displayName: text, ...lang };
}

function expires(node: XmlElement, place: string): number | undefined {
  const value = trimmed(node, 'expires');
  const seconds = value === undefined ? -1 : readInteger(value, `${place}/@expires`);
  return seconds < 0 ? undefined : seconds;
}

function params(parent: XmlElement, parentPlace: string): { name: string; value: string }[] {
  return childrenNamed(parent, REGINFO, 'unknown-param').map((node, i) => {
    const place = `${parentPlace}/unknown-param[${i + 1}]`;
    return { name: required(node, 'name', place), value: textOf(node, place).trim() };
  });
}

/** RFC 5628 */
function gruus(parent: XmlElement, place: string): Pick<RegistrationContact, 'pubGruu' | 'tempGruu'> {
  const pub = childNamed(parent, GRUUINFO, 'pub-gruu', place);
  const temp = childNamed(parent, GRUUINFO, 'temp-gruu', place);
  const uri = (node: XmlElement) => {
    const inside = `${place}/${node.name}`;
    return checkUri(required(node, 'uri', inside), `${inside}/@uri`);
  };
  return {
    ...field('pubGruu', pub && uri(pub)),
    ...field('tempGruu', temp && { uri: uri(temp), firstCseq: firstCseq(temp, `${place}/temp-gruu`) }),
  };
}

function firstCseq(node: XmlElement, place: string): number {
  return readInteger(required(node, 'first-cseq', place), `${place}/@first-cseq`, 0);
}

/** Kamailio writes the attributes empty where there is nothing to tell. */
function compat(node: XmlElement): Pick<RegistrationContact, 'compat'> {
  const found = {
    ...field('received', attributeOf(node, 'received') || undefined),
    ...field('path', attributeOf(node, 'path') || undefined),
    ...field('userAgent', attributeOf(node, 'user_agent') || undefined),
  };
  return Object.keys(found).length === 0 ? {} : { compat: found };
}
