/** Elements of RPID from their typed values, in the order of table 1 of RFC 4480. */

import { hasField } from '../common/fields.js';
import type { Note } from '../common/model.js';
import {
  addExtensions,
  addNotes,
  dateTimeAttribute,
  idAttribute,
  noteElement,
  optionalAttribute,
  rangedAttributes,
} from '../common/write.js';
import { Namespace } from '../namespaces.js';
import { element, type XmlElement } from '../xml/element.js';
import { documentError, quote } from '../xml/errors.js';
import { checkInteger, checkName, checkOneOf, checkToken, checkUri, type IdRegister } from '../xml/values.js';
import * as model from './model.js';

const { RPID, LOCATION_TYPE } = Namespace;

export function personRpidElements(person: model.PersonRpid, place: string, ids: IdRegister): XmlElement[] {
  return [
    ...many('activities', person.activities, place, ids, activitiesElement),
    ...classElements(person.class, place),
    ...many('mood', person.mood, place, ids, moodElement),
    ...many('place-is', person.placeIs, place, ids, placeIsElement),
    ...many('place-type', person.placeType, place, ids, placeTypeElement),
    ...many('privacy', person.privacy, place, ids, privacyElement),
    ...many('sphere', person.sphere, place, ids, sphereElement),
    ...many('status-icon', person.statusIcon, place, ids, statusIconElement),
    ...many('time-offset', person.timeOffset, place, ids, timeOffsetElement),
    ...userInputElements(person.userInput, place, ids),
  ];
}

export function tupleRpidElements(tuple: model.TupleRpid, place: string, ids: IdRegister): XmlElement[] {
  const { relationship, serviceClass } = tuple;
  return [
    ...classElements(tuple.class, place),
    ...many('privacy', tuple.privacy, place, ids, privacyElement),
    ...(relationship === undefined ? [] : [relationshipElement(relationship, `${place}/relationship`)]),
    ...(serviceClass === undefined ? [] : [serviceClassElement(serviceClass, `${place}/service-class`)]),
    ...many('status-icon', tuple.statusIcon, place, ids, statusIconElement),
    ...userInputElements(tuple.userInput, place, ids),
  ];
}

export function deviceRpidElements(device: model.DeviceRpid, place: string, ids: IdRegister): XmlElement[] {
  return [...classElements(device.class, place), ...userInputElements(device.userInput, place, ids)];
}

type Write<T> = (value: T, place: string, ids: IdRegister) => XmlElement;

function many<T>(
  name: string,
  values: readonly T[] | undefined,
  place: string,
  ids: IdRegister,
  write: Write<T>,
): XmlElement[] {
  return values === undefined ? [] : values.map((value, i) => write(value, `${place}/${name}[${i + 1}]`, ids));
}

const activitiesElement: Write<model.Activities> = (value, place, ids) =>
  enumerationElement('activities', value, model.activityNames, place, ids);

const moodElement: Write<model.Mood> = (value, place, ids) => {
  const { values = [], others = [], extensions = [] } = value;
  if (values.length + others.length + extensions.length === 0) throw documentError(place, 'has no value');
  return enumerationElement('mood', value, model.moodNames, place, ids);
};

function enumerationElement<V extends string>(
  name: string,
  value: model.Enumeration<V>,
  known: readonly V[],
  place: string,
  ids: IdRegister,
): XmlElement {
  const { values = [], others = [], extensions } = value;
  unknownAlone(values, others.length + (extensions?.length ?? 0), place);
  const children = noteElements(value.notes, place);
  for (const one of values) {
    if (!known.includes(one)) {
      throw documentError(place, `${quote(String(one))} is no value of RFC 4480; put words into "others"`);
    }
    children.push(element(RPID, one));
  }
  for (const other of others) children.push(noteElement(RPID, 'other', other, place));
  addExtensions(children, RPID, extensions, place);
  return element(RPID, name, rangedAttributes(value, place, ids), children);
}

const placeIsElement: Write<model.PlaceIs> = (value, place, ids) => {
  const children = noteElements(value.notes, place);
  for (const medium of ['audio', 'video', 'text'] as const) {
    const property = value[medium];
    if (property === undefined) continue;
    const known: readonly string[] = model.placeProperties[medium];
    children.push(element(RPID, medium, [], [element(RPID, checkOneOf(property, known, `${place}/${medium}`))]));
  }
  return element(RPID, 'place-is', rangedAttributes(value, place, ids), children);
};

const placeTypeElement: Write<model.PlaceType> = (value, place, ids) => {
  const { values = [], other, extensions = [] } = value;
  exactlyOne([other, values.length + extensions.length || undefined], 'other, or values and extensions', place);
  const children = noteElements(value.notes, place);
  for (const one of values) children.push(element(LOCATION_TYPE, checkName(one, place)));
  if (other !== undefined) children.push(noteElement(RPID, 'other', other, place));
  addExtensions(children, RPID, extensions, place, hasField.placeType);
  return element(RPID, 'place-type', rangedAttributes(value, place, ids), children);
};

const privacyElement: Write<model.Privacy> = (value, place, ids) => {
  const { values = [], extensions = [] } = value;
  unknownAlone(values, extensions.length, place);
  for (const one of values) checkOneOf(one, model.privacyNames, place);
  const children = noteElements(value.notes, place);
  for (const one of model.privacyNames) if (values.includes(one)) children.push(element(RPID, one));
  addExtensions(children, RPID, extensions, place);
  return element(RPID, 'privacy', rangedAttributes(value, place, ids), children);
};

function relationshipElement(value: model.Relationship, place: string): XmlElement {
  const { other } = value;
  const children = noteElements(value.notes, place);
  exactlyOne([value.value, other, value.extensions], 'value, other and extensions', place);
  addValue(children, value, model.relationshipNames, place);
  if (other !== undefined) children.push(noteElement(RPID, 'other', other, place));
  return element(RPID, 'relationship', [], children);
}

function serviceClassElement(value: model.ServiceClass, place: string): XmlElement {
  const children = noteElements(value.notes, place);
  exactlyOne([value.value, value.extensions], 'value and extensions', place);
  addValue(children, value, model.serviceClassNames, place);
  return element(RPID, 'service-class', [], children);
}

const sphereElement: Write<model.Sphere> = (value, place, ids) => {
  const children: XmlElement[] = [];
  exactlyOne([value.value, value.extensions], 'value and extensions', place);
  addValue(children, value, model.sphereNames, place);
  return element(RPID, 'sphere', rangedAttributes(value, place, ids), children);
};

const statusIconElement: Write<model.StatusIcon> = (value, place, ids) =>
  element(RPID, 'status-icon', rangedAttributes(value, place, ids), [checkUri(value.uri, place)]);

const timeOffsetElement: Write<model.TimeOffset> = (value, place, ids) =>
  element(
    RPID,
    'time-offset',
    [...rangedAttributes(value, place, ids), ...optionalAttribute('description', value.description)],
    [String(checkInteger(value.minutes, place))],
  );

function userInputElements(value: model.UserInput | undefined, parent: string, ids: IdRegister): XmlElement[] {
  if (value === undefined) return [];
  const place = `${parent}/user-input`;
  const { idleThreshold } = value;
  if (value.state !== 'active' && value.state !== 'idle') {
    throw documentError(place, `${quote(String(value.state))} is neither active nor idle`);
  }
  const threshold =
    idleThreshold === undefined ? undefined : String(checkInteger(idleThreshold, `${place}/@idle-threshold`, 1));
  const attributes = [
    ...idAttribute(value.id, place, ids),
    ...optionalAttribute('idle-threshold', threshold),
    ...dateTimeAttribute('last-input', value.lastInput, place),
  ];
  return [element(RPID, 'user-input', attributes, [value.state])];
}

function classElements(value: string | undefined, place: string): XmlElement[] {
  return value === undefined ? [] : [element(RPID, 'class', [], [checkToken(value, `${place}/class`)])];
}

function noteElements(notes: readonly Note[] | undefined, place: string): XmlElement[] {
  const children: XmlElement[] = [];
  addNotes(children, RPID, notes, place);
  return children;
}

interface Choice {
  readonly value?: string;
  readonly extensions?: readonly XmlElement[];
}

/** One of the known values, or extensions. */
function addValue(children: XmlElement[], choice: Choice, known: readonly string[], place: string): void {
  if (choice.value !== undefined) children.push(element(RPID, checkOneOf(choice.value, known, place)));
  addExtensions(children, RPID, choice.extensions, place);
}

/** The schema has a choice there. */
function exactlyOne(alternatives: readonly unknown[], what: string, place: string): void {
  const given = alternatives.filter((one) => one !== undefined && !(Array.isArray(one) && one.length === 0)).length;
  if (given !== 1) throw documentError(place, `needs exactly one of ${what}, not ${given}`);
}

function unknownAlone(values: readonly string[], others: number, place: string): void {
  if (values.includes('unknown') && values.length + others > 1) throw documentError(place, '"unknown" stands alone');
}
