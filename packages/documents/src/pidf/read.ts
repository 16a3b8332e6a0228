import { Namespace } from '../namespaces.js';
import {
  attributeOf,
  childNamed,
  childrenNamed,
  elementsOf,
  isNamed,
  textOf,
  type XmlElement,
} from '../xml/element.js';
import { documentError, quote, wrongRoot } from '../xml/errors.js';
import type { XmlLimits } from '../xml/limits.js';
import { readXml } from '../xml/reader.js';
import { checkDateTime, checkUri } from '../xml/values.js';
import type { Note, Person, Pidf, Tuple } from './model.js';
import { type Activities, type Activity, activityNames, type Contact, type Device } from './model.js';

const { PIDF, DATA_MODEL, RPID, XML } = Namespace;

/**
 * Reads a presence document. Elements may stand in any order; elements of other namespaces are kept as extensions; unknown
 * ones of PIDF, the data model and RPID are passed over; an impossible `priority` counts as absent (RFC 3863 section 4.1.5).
 * @param limits size and depth; default 256 kB, 64 elements.
 * @throws PuaError `PUA_ERR_DOCUMENT` with the line or the place.
 */
export function readPidf(xml: string | Uint8Array, limits?: XmlLimits): Pidf {
  const root = readXml(xml, limits);
  if (!isNamed(root, PIDF, 'presence')) throw wrongRoot(root, 'presence', PIDF);
  const entity = attributeOf(root, 'entity')?.trim();
  if (entity === undefined) throw documentError('presence', 'has no attribute entity');
  return {
    entity: checkUri(entity, 'presence/@entity'),
    ...list('tuples', childrenNamed(root, PIDF, 'tuple').map(tuple)),
    ...list('notes', notes(root, PIDF, 'note', 'presence')),
    ...list('persons', childrenNamed(root, DATA_MODEL, 'person').map(person)),
    ...list('devices', childrenNamed(root, DATA_MODEL, 'device').map(device)),
    ...list(
      'extensions',
      extensions(root, PIDF).filter((e) => !isNamed(e, DATA_MODEL, 'person') && !isNamed(e, DATA_MODEL, 'device')),
    ),
  };
}

function tuple(node: XmlElement, index: number): Tuple {
  const place = `presence/tuple[${index + 1}]`;
  // Absent in some documents, against the schema; it says as much as an empty one.
  const status = childNamed(node, PIDF, 'status', place);
  const basicNode = status && childNamed(status, PIDF, 'basic', `${place}/status`);
  const basic = basicNode && textOf(basicNode, `${place}/status/basic`).trim();
  if (basic !== undefined && basic !== 'open' && basic !== 'closed') {
    throw documentError(`${place}/status/basic`, `${quote(basic)} is neither open nor closed`);
  }
  const found = contact(node, place);
  return {
    ...id(node),
    ...(basic === undefined ? {} : { basic }),
    ...list('statusExtensions', status ? extensions(status, PIDF) : []),
    ...list('extensions', extensions(node, PIDF)),
    ...(found === undefined ? {} : { contact: found }),
    ...list('notes', notes(node, PIDF, 'note', place)),
    ...timestamp(node, PIDF, place),
  };
}

function contact(node: XmlElement, place: string): Contact | undefined {
  const found = childNamed(node, PIDF, 'contact', place);
  const uri = found && textOf(found, `${place}/contact`).trim();
  if (found === undefined || !uri) return undefined;
  const priority = attributeOf(found, 'priority')?.trim() ?? '';
  return {
    uri: checkUri(uri, `${place}/contact`),
    ...(/^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(priority) ? { priority: Number(priority) } : {}),
  };
}

function person(node: XmlElement, index: number): Person {
  const place = `presence/person[${index + 1}]`;
  return {
    ...id(node),
    ...list(
      'activities',
      childrenNamed(node, RPID, 'activities').map((a, i) => activities(a, `${place}/activities[${i + 1}]`)),
    ),
    ...list(
      'extensions',
      extensions(node, DATA_MODEL).filter((e) => !isNamed(e, RPID, 'activities')),
    ),
    ...list('notes', notes(node, DATA_MODEL, 'note', place)),
    ...timestamp(node, DATA_MODEL, place),
  };
}

function device(node: XmlElement, index: number): Device {
  const place = `presence/device[${index + 1}]`;
  const urn = childNamed(node, DATA_MODEL, 'deviceID', place);
  if (urn === undefined) throw documentError(place, 'has no deviceID');
  return {
    ...id(node),
    deviceId: checkUri(textOf(urn, `${place}/deviceID`).trim(), `${place}/deviceID`),
    ...list('extensions', extensions(node, DATA_MODEL)),
    ...list('notes', notes(node, DATA_MODEL, 'note', place)),
    ...timestamp(node, DATA_MODEL, place),
  };
}

function activities(node: XmlElement, place: string): Activities {
  const from = attributeOf(node, 'from')?.trim();
  const until = attributeOf(node, 'until')?.trim();
  const own = elementsOf(node).filter((e) => e.namespace === RPID);
  return {
    ...id(node),
    ...(from === undefined ? {} : { from: checkDateTime(from, `${place}/@from`) }),
    ...(until === undefined ? {} : { until: checkDateTime(until, `${place}/@until`) }),
    ...list('notes', notes(node, RPID, 'note', place)),
    ...list('values', own.map((e) => e.name).filter(isActivity)),
    ...list('others', notes(node, RPID, 'other', place)),
    ...list('extensions', extensions(node, RPID)),
  };
}

function isActivity(name: string): name is Activity {
  return (activityNames as readonly string[]).includes(name);
}

function id(node: XmlElement): { id?: string } {
  const found = attributeOf(node, 'id')?.trim();
  return found === undefined ? {} : { id: found };
}

function notes(node: XmlElement, namespace: string, name: string, place: string): Note[] {
  return childrenNamed(node, namespace, name).map((one) => {
    const lang = attributeOf(one, 'lang', XML);
    return { text: textOf(one, `${place}/${name}`), ...(lang ? { lang } : {}) };
  });
}

function timestamp(node: XmlElement, namespace: string, place: string): { timestamp?: string } {
  const found = childNamed(node, namespace, 'timestamp', place);
  if (found === undefined) return {};
  return { timestamp: checkDateTime(textOf(found, `${place}/timestamp`).trim(), `${place}/timestamp`) };
}

/** Children of any namespace but this one; one in no namespace is nobody's extension. */
function extensions(node: XmlElement, own: string): XmlElement[] {
  return elementsOf(node).filter((e) => e.namespace !== own && e.namespace !== '');
}

/** A list under its name, or nothing when it is empty. */
function list<K extends string, T>(name: K, items: readonly T[]): { [key in K]?: readonly T[] } {
  return items.length === 0 ? {} : ({ [name]: items } as { [key in K]: readonly T[] });
}
