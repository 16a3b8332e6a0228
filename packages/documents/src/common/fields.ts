/** Which elements have a field where, and so are no extensions there (RFC 4480 table 1, RFC 5628). */
import { Namespace } from '../namespaces.js';
import type { XmlElement } from '../xml/element.js';

const { DATA_MODEL, RPID, LOCATION_TYPE, GRUUINFO } = Namespace;

const inEvery = ['class', 'user-input'];
const inTuple = [...inEvery, 'privacy', 'relationship', 'service-class', 'status-icon'];
const inPerson = [
  ...inEvery,
  'activities',
  'mood',
  'place-is',
  'place-type',
  'privacy',
  'sphere',
  'status-icon',
  'time-offset',
];

const rpid = (names: readonly string[]) => (e: XmlElement) => e.namespace === RPID && names.includes(e.name);
const rpidOfTuple = rpid(inTuple);

export const hasField = {
  presence: (e: XmlElement) => e.namespace === DATA_MODEL && (e.name === 'person' || e.name === 'device'),
  tuple: (e: XmlElement) => rpidOfTuple(e) || (e.namespace === DATA_MODEL && e.name === 'deviceID'),
  person: rpid(inPerson),
  device: rpid(inEvery),
  /** Of a registration. */
  contact: (e: XmlElement) => e.namespace === GRUUINFO && (e.name === 'pub-gruu' || e.name === 'temp-gruu'),
  placeType: (e: XmlElement) => e.namespace === LOCATION_TYPE,
} as const;
