import { Namespace } from '../namespaces.js';
import { attribute, element, type XmlAttribute, type XmlElement } from '../xml/element.js';
import { documentError, quote } from '../xml/errors.js';
import { checkDateTime, checkLanguage, checkUri, IdRegister } from '../xml/values.js';
import { writeXml } from '../xml/writer.js';
import { type Activities, activityNames, type Device, type Note, type Person, type Pidf, type Tuple } from './model.js';

const { PIDF, DATA_MODEL, RPID, XML } = Namespace;

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
  addExtensions(children, PIDF, doc.extensions, 'presence');
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
  addExtensions(children, PIDF, tuple.extensions, place);
  if (contact !== undefined) {
    const uri = checkUri(contact.uri, `${place}/contact`);
    const { priority } = contact;
    const attributes = priority === undefined ? [] : [attribute('priority', qvalue(priority, `${place}/contact`))];
    children.push(element(PIDF, 'contact', attributes, [uri]));
  }
  addNotes(children, PIDF, tuple.notes, place);
  addTimestamp(children, PIDF, tuple.timestamp, place);
  return element(PIDF, 'tuple', idAttribute(tuple.id, place, ids), children);
}

function personElement(person: Person, place: string, ids: IdRegister): XmlElement {
  const children = (person.activities ?? []).map((a, i) => activitiesElement(a, `${place}/activities[${i + 1}]`, ids));
  addExtensions(children, DATA_MODEL, person.extensions, place);
  addNotes(children, DATA_MODEL, person.notes, place);
  addTimestamp(children, DATA_MODEL, person.timestamp, place);
  return element(DATA_MODEL, 'person', idAttribute(person.id, place, ids), children);
}

function deviceElement(device: Device, place: string, ids: IdRegister): XmlElement {
  const children: XmlElement[] = [];
  addExtensions(children, DATA_MODEL, device.extensions, place);
  children.push(element(DATA_MODEL, 'deviceID', [], [checkUri(device.deviceId, `${place}/deviceID`)]));
  addNotes(children, DATA_MODEL, device.notes, place);
  addTimestamp(children, DATA_MODEL, device.timestamp, place);
  return element(DATA_MODEL, 'device', idAttribute(device.id, place, ids), children);
}

function activitiesElement(activities: Activities, place: string, ids: IdRegister): XmlElement {
  const { values = [], others = [], extensions = [] } = activities;
  const attributes = idAttribute(activities.id, place, ids);
  if (activities.from !== undefined)
    attributes.push(attribute('from', checkDateTime(activities.from, `${place}/@from`)));
  if (activities.until !== undefined) {
    attributes.push(attribute('until', checkDateTime(activities.until, `${place}/@until`)));
  }
  if (values.includes('unknown') && values.length + others.length + extensions.length > 1) {
    throw documentError(place, '"unknown" stands alone');
  }
  const children: XmlElement[] = [];
  addNotes(children, RPID, activities.notes, place);
  for (const value of values) {
    if (!activityNames.includes(value)) {
      throw documentError(place, `${quote(String(value))} is no activity of RFC 4480; use "others"`);
    }
    children.push(element(RPID, value));
  }
  for (const other of others) children.push(noteElement(RPID, 'other', other, place));
  addExtensions(children, RPID, extensions, place);
  return element(RPID, 'activities', attributes, children);
}

function idAttribute(id: string | undefined, place: string, ids: IdRegister): XmlAttribute[] {
  return id === undefined ? [] : [attribute('id', ids.check(id, place))];
}

function noteElement(namespace: string, name: string, note: Note, place: string): XmlElement {
  const attributes =
    note.lang === undefined ? [] : [attribute('lang', checkLanguage(note.lang, `${place}/${name}/@xml:lang`), XML)];
  return element(namespace, name, attributes, note.text === '' ? [] : [note.text]);
}

function addNotes(children: XmlElement[], namespace: string, notes: readonly Note[] | undefined, place: string): void {
  for (const note of notes ?? []) children.push(noteElement(namespace, 'note', note, place));
}

function addTimestamp(children: XmlElement[], namespace: string, timestamp: string | undefined, place: string): void {
  if (timestamp === undefined) return;
  children.push(element(namespace, 'timestamp', [], [checkDateTime(timestamp, `${place}/timestamp`)]));
}

/** The schemas take as an extension what is in some namespace, and not in that of the element it stands in. */
function addExtensions(
  children: XmlElement[],
  own: string,
  extensions: readonly XmlElement[] | undefined,
  place: string,
): void {
  for (const extension of extensions ?? []) {
    if (extension.namespace === own || extension.namespace === '') {
      throw documentError(`${place}/${extension.name}`, 'an extension must be in a namespace of its own');
    }
    children.push(extension);
  }
}

/** RFC 3863 section 4.1.5 */
function qvalue(priority: number, place: string): string {
  if (!(priority >= 0 && priority <= 1)) {
    throw documentError(`${place}/@priority`, `${priority} is not between 0 and 1`);
  }
  return String(Math.round(priority * 1000) / 1000);
}
