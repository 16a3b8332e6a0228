/** Reads the elements of RPID. Unknown values are passed over: an enumeration may grow. */

import { hasField } from '../common/fields.js';
import { dateTime, extensions, field, id, list, note, notes, ranged, trimmed } from '../common/read.js';
import { Namespace } from '../namespaces.js';
import { attributeOf, childNamed, childrenNamed, elementsOf, textOf, type XmlElement } from '../xml/element.js';
import { documentError, quote } from '../xml/errors.js';
import { checkUri, readInteger } from '../xml/values.js';
import * as model from './model.js';

const { RPID, LOCATION_TYPE } = Namespace;

export function personRpid(node: XmlElement, place: string): model.PersonRpid {
  return {
    ...many('activities', node, 'activities', place, activities),
    ...everywhere(node, place),
    ...many('mood', node, 'mood', place, mood),
    ...many('placeIs', node, 'place-is', place, placeIs),
    ...many('placeType', node, 'place-type', place, placeType),
    ...many('privacy', node, 'privacy', place, privacy),
    ...many('sphere', node, 'sphere', place, sphere),
    ...many('statusIcon', node, 'status-icon', place, statusIcon),
    ...many('timeOffset', node, 'time-offset', place, timeOffset),
  };
}

export function tupleRpid(node: XmlElement, place: string): model.TupleRpid {
  return {
    ...everywhere(node, place),
    ...many('privacy', node, 'privacy', place, privacy),
    ...one('relationship', node, 'relationship', place, relationship),
    ...one('serviceClass', node, 'service-class', place, serviceClass),
    ...many('statusIcon', node, 'status-icon', place, statusIcon),
  };
}

export function deviceRpid(node: XmlElement, place: string): model.DeviceRpid {
  return everywhere(node, place);
}

function everywhere(node: XmlElement, place: string): model.DeviceRpid {
  return {
    ...one('class', node, 'class', place, token),
    ...one('userInput', node, 'user-input', place, userInput),
  };
}

type Read<T> = (node: XmlElement, place: string) => T;

function many<K extends string, T>(name: K, node: XmlElement, element: string, place: string, read: Read<T>) {
  const found = childrenNamed(node, RPID, element);
  return list(
    name,
    found.map((e, i) => read(e, `${place}/${element}[${i + 1}]`)),
  );
}

function one<K extends string, T>(name: K, node: XmlElement, element: string, place: string, read: Read<T>) {
  const found = childNamed(node, RPID, element, place);
  return field(name, found && read(found, `${place}/${element}`));
}

const activities: Read<model.Activities> = (node, place) =>
  enumeration(node, place, model.activityNames, (name) => (name === 'lunch' ? 'meal' : name));

const mood: Read<model.Mood> = (node, place) => enumeration(node, place, model.moodNames);

function enumeration<V extends string>(
  node: XmlElement,
  place: string,
  known: readonly V[],
  rename: (name: string) => string = (name) => name,
): model.Enumeration<V> {
  return {
    ...ranged(node, place),
    ...list('notes', notes(node, RPID, 'note', place)),
    ...list('values', names(node).map(rename).filter(isOneOf(known))),
    ...list('others', notes(node, RPID, 'other', place)),
    ...list('extensions', extensions(node, RPID)),
  };
}

const placeIs: Read<model.PlaceIs> = (node, place) => {
  const property = <V extends string>(medium: string, known: readonly V[]) => {
    const found = childNamed(node, RPID, medium, place);
    return found && names(found).find(isOneOf(known));
  };
  const { audio, video, text } = model.placeProperties;
  return {
    ...ranged(node, place),
    ...list('notes', notes(node, RPID, 'note', place)),
    ...field('audio', property('audio', audio)),
    ...field('video', property('video', video)),
    ...field('text', property('text', text)),
  };
};

const placeType: Read<model.PlaceType> = (node, place) => ({
  ...ranged(node, place),
  ...list('notes', notes(node, RPID, 'note', place)),
  ...list('values', names(node, LOCATION_TYPE)),
  ...one('other', node, 'other', place, note),
  ...list('extensions', extensions(node, RPID, hasField.placeType)),
});

const privacy: Read<model.Privacy> = (node, place) => {
  const found = names(node);
  return {
    ...ranged(node, place),
    ...list('notes', notes(node, RPID, 'note', place)),
    ...list(
      'values',
      model.privacyNames.filter((name) => found.includes(name)),
    ),
    ...list('extensions', extensions(node, RPID)),
  };
};

const relationship: Read<model.Relationship> = (node, place) => ({
  ...list('notes', notes(node, RPID, 'note', place)),
  ...field('value', names(node).find(isOneOf(model.relationshipNames))),
  ...one('other', node, 'other', place, note),
  ...list('extensions', extensions(node, RPID)),
});

const serviceClass: Read<model.ServiceClass> = (node, place) => ({
  ...list('notes', notes(node, RPID, 'note', place)),
  ...field('value', names(node).find(isOneOf(model.serviceClassNames))),
  ...list('extensions', extensions(node, RPID)),
});

const sphere: Read<model.Sphere> = (node, place) => ({
  ...ranged(node, place),
  ...field('value', names(node).find(isOneOf(model.sphereNames))),
  ...list('extensions', extensions(node, RPID)),
});

const statusIcon: Read<model.StatusIcon> = (node, place) => ({
  ...ranged(node, place),
  uri: checkUri(textOf(node, place).trim(), place),
});

const timeOffset: Read<model.TimeOffset> = (node, place) => ({
  ...ranged(node, place),
  minutes: readInteger(textOf(node, place), place),
  ...field('description', attributeOf(node, 'description')),
});

const userInput: Read<model.UserInput> = (node, place) => {
  const state = textOf(node, place).trim();
  if (state !== 'active' && state !== 'idle') {
    throw documentError(place, `${quote(state)} is neither active nor idle`);
  }
  const threshold = trimmed(node, 'idle-threshold');
  return {
    ...id(node),
    state,
    ...field(
      'idleThreshold',
      threshold === undefined ? undefined : readInteger(threshold, `${place}/@idle-threshold`, 1),
    ),
    ...dateTime('lastInput', node, 'last-input', place),
  };
};

/** xs:token: white space counts as one blank between words. */
const token: Read<string> = (node, place) => textOf(node, place).trim().replace(/\s+/g, ' ');

/** Names of the children in a namespace, in document order. */
function names(node: XmlElement, namespace: string = RPID): string[] {
  return elementsOf(node)
    .filter((e) => e.namespace === namespace)
    .map((e) => e.name);
}

function isOneOf<V extends string>(known: readonly V[]): (name: string) => name is V {
  return (name): name is V => (known as readonly string[]).includes(name);
}
