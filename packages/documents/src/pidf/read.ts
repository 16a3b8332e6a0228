import { hasField } from '../common/fields.js';
import { extensions, field, id, list, notes, timestamp, trimmed } from '../common/read.js';
import { Namespace } from '../namespaces.js';
import { deviceRpid, personRpid, tupleRpid } from '../rpid/read.js';
import { childNamed, childrenNamed, isNamed, textOf, type XmlElement } from '../xml/element.js';
import { documentError, quote, wrongRoot } from '../xml/errors.js';
import type { XmlLimits } from '../xml/limits.js';
import { readXml } from '../xml/reader.js';
import { checkUri, readQvalue } from '../xml/values.js';
import type { Contact, Device, Person, Pidf, Tuple } from './model.js';

const { PIDF, DATA_MODEL } = Namespace;

/**
 * Reads a presence document. Elements may stand in any order. Unknown elements are kept as extensions where they are in
 * another namespace than their parent, else passed over. An impossible `priority` counts as absent (RFC 3863 section 4.1.5).
 * @param limits size and depth; default 256 kB, 64 elements.
 * @throws PuaError `PUA_ERR_DOCUMENT` with the line or the place.
 */
export function readPidf(xml: string | Uint8Array, limits?: XmlLimits): Pidf {
  const root = readXml(xml, limits);
  if (!isNamed(root, PIDF, 'presence')) throw wrongRoot(root, 'presence', PIDF);
  const entity = trimmed(root, 'entity');
  if (entity === undefined) throw documentError('presence', 'has no attribute entity');
  return {
    entity: checkUri(entity, 'presence/@entity'),
    ...list('tuples', childrenNamed(root, PIDF, 'tuple').map(tuple)),
    ...list('notes', notes(root, PIDF, 'note', 'presence')),
    ...list('persons', childrenNamed(root, DATA_MODEL, 'person').map(person)),
    ...list('devices', childrenNamed(root, DATA_MODEL, 'device').map(device)),
    ...list('extensions', extensions(root, PIDF, hasField.presence)),
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
  return {
    ...id(node),
    ...field('basic', basic),
    ...list('statusExtensions', status ? extensions(status, PIDF) : []),
    ...list(
      'deviceIds',
      childrenNamed(node, DATA_MODEL, 'deviceID').map((urn) => deviceId(urn, place)),
    ),
    ...tupleRpid(node, place),
    ...list('extensions', extensions(node, PIDF, hasField.tuple)),
    ...field('contact', contact(node, place)),
    ...list('notes', notes(node, PIDF, 'note', place)),
    ...timestamp(node, PIDF, place),
  };
}

function contact(node: XmlElement, place: string): Contact | undefined {
  const found = childNamed(node, PIDF, 'contact', place);
  const uri = found && textOf(found, `${place}/contact`).trim();
  if (found === undefined || !uri) return undefined;
  return {
    uri: checkUri(uri, `${place}/contact`),
    ...field('priority', readQvalue(trimmed(found, 'priority') ?? '')),
  };
}

function person(node: XmlElement, index: number): Person {
  const place = `presence/person[${index + 1}]`;
  return {
    ...id(node),
    ...personRpid(node, place),
    ...list('extensions', extensions(node, DATA_MODEL, hasField.person)),
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
    deviceId: deviceId(urn, place),
    ...deviceRpid(node, place),
    ...list('extensions', extensions(node, DATA_MODEL, hasField.device)),
    ...list('notes', notes(node, DATA_MODEL, 'note', place)),
    ...timestamp(node, DATA_MODEL, place),
  };
}

function deviceId(node: XmlElement, place: string): string {
  return checkUri(textOf(node, `${place}/deviceID`).trim(), `${place}/deviceID`);
}
