import { hasField } from '../common/fields.js';
import { addExtensions, addNotes, addTimestamp, idAttribute } from '../common/write.js';
import { Namespace } from '../namespaces.js';
import { deviceRpidElements, personRpidElements, tupleRpidElements } from '../rpid/write.js';
import { attribute, element, type XmlElement } from '../xml/element.js';
import { documentError, quote } from '../xml/errors.js';
import { checkUri, IdRegister, writeQvalue } from '../xml/values.js';
import { writeXml } from '../xml/writer.js';
import type { Device, Person, Pidf, Tuple } from './model.js';

const { PIDF, DATA_MODEL } = Namespace;

/**
 * Writes a presence document, in the order of the schema.
 * @throws PuaError `PUA_ERR_DOCUMENT` naming the place (`presence/tuple[2]/contact`): a value its schema or RFC does not allow,
 * a character illegal in XML 1.0.
 */
export function writePidf(doc: Pidf): string {
  const ids = new IdRegister();
  const children: XmlElement[] = [];
  doc.tuples?.forEach((tuple, i) => {
    children.push(tupleElement(tuple, `presence/tuple[${i + 1}]`, ids));
  });
  addNotes(children, PIDF, doc.notes, 'presence');
  doc.persons?.forEach((person, i) => {
    children.push(personElement(person, `presence/person[${i + 1}]`, ids));
  });
  doc.devices?.forEach((device, i) => {
    children.push(deviceElement(device, `presence/device[${i + 1}]`, ids));
  });
  addExtensions(children, PIDF, doc.extensions, 'presence', hasField.presence);
  return writeXml(element(PIDF, 'presence', [attribute('entity', checkUri(doc.entity, 'presence/@entity'))], children));
}

function tupleElement(tuple: Tuple, place: string, ids: IdRegister): XmlElement {
  const { basic, contact } = tuple;
  const status: XmlElement[] = [];
  if (basic !== undefined) {
    if (basic !== 'open' && basic !== 'closed') {
      throw documentError(`${place}/status/basic`, `${quote(String(basic))} is neither open nor closed`);
    }
    status.push(element(PIDF, 'basic', [], [basic]));
  }
  addExtensions(status, PIDF, tuple.statusExtensions, `${place}/status`);
  if (status.length === 0) {
    throw documentError(`${place}/status`, 'has neither basic nor an extension (RFC 3863 section 4.1.3)');
  }
  const children = [element(PIDF, 'status', [], status)];
  for (const urn of tuple.deviceIds ?? []) children.push(deviceIdElement(urn, place));
  children.push(...tupleRpidElements(tuple, place, ids));
  addExtensions(children, PIDF, tuple.extensions, place, hasField.tuple);
  const service = tuple.serviceClass?.value;
  if (contact !== undefined && service !== undefined && service !== 'electronic' && service !== 'unknown') {
    throw documentError(
      `${place}/contact`,
      `must not stand beside the service class ${service} (RFC 4480 section 3.10)`,
    );
  }
  if (contact !== undefined) {
    const uri = checkUri(contact.uri, `${place}/contact`);
    const { priority } = contact;
    const attributes =
      priority === undefined ? [] : [attribute('priority', writeQvalue(priority, `${place}/contact/@priority`))];
    children.push(element(PIDF, 'contact', attributes, [uri]));
  }
  addNotes(children, PIDF, tuple.notes, place);
  addTimestamp(children, PIDF, tuple.timestamp, place);
  return element(PIDF, 'tuple', idAttribute(tuple.id, place, ids), children);
}

function personElement(person: Person, place: string, ids: IdRegister): XmlElement {
  const children = personRpidElements(person, place, ids);
  addExtensions(children, DATA_MODEL, person.extensions, place, hasField.person);
  addNotes(children, DATA_MODEL, person.notes, place);
  addTimestamp(children, DATA_MODEL, person.timestamp, place);
  return element(DATA_MODEL, 'person', idAttribute(person.id, place, ids), children);
}

function deviceElement(device: Device, place: string, ids: IdRegister): XmlElement {
  const children = deviceRpidElements(device, place, ids);
  addExtensions(children, DATA_MODEL, device.extensions, place, hasField.device);
  children.push(deviceIdElement(device.deviceId, place));
  addNotes(children, DATA_MODEL, device.notes, place);
  addTimestamp(children, DATA_MODEL, device.timestamp, place);
  return element(DATA_MODEL, 'device', idAttribute(device.id, place, ids), children);
}

function deviceIdElement(urn: string, place: string): XmlElement {
  return element(DATA_MODEL, 'deviceID', [], [checkUri(urn, `${place}/deviceID`)]);
}
