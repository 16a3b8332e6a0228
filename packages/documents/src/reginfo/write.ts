import { hasField } from '../common/fields.js';
import { addExtensions, countAttribute, noteElement, optionalAttribute, versionAttributes } from '../common/write.js';
import { Namespace } from '../namespaces.js';
import { attribute, element, type XmlAttribute, type XmlElement } from '../xml/element.js';
import { documentError, quote } from '../xml/errors.js';
import { checkInteger, checkOneOf, checkUri, checkWord, UniqueTexts, writeQvalue } from '../xml/values.js';
import { writeXml } from '../xml/writer.js';
import {
  type RegInfo,
  type Registration,
  type RegistrationContact,
  type RegistrationEvent,
  registrationEvents,
  registrationStates,
} from './model.js';

const { REGINFO, GRUUINFO } = Namespace;

/** Events of an active contact; after the others it is terminated (RFC 3680 section 4.7.1, figure 2). */
const eventsOfActive: readonly RegistrationEvent[] = ['registered', 'created', 'refreshed', 'shortened'];

/** What must be there only once. */
interface Unique {
  readonly aors: UniqueTexts;
  readonly ids: UniqueTexts;
  readonly contactIds: UniqueTexts;
}

/**
 * Writes a document, in the order of the schema (RFC 3680 section 5.4).
 * @throws PuaError `PUA_ERR_DOCUMENT` naming the place (`reginfo/registration[1]/contact[2]`): a value its schema or RFC does
 * not allow, an id or AOR that is there twice, an event that does not lead to the state, a character illegal in XML 1.0.
 */
export function writeRegInfo(doc: RegInfo): string {
  const unique = { aors: new UniqueTexts('aor'), ids: new UniqueTexts('id'), contactIds: new UniqueTexts('id') };
  const children = doc.registrations.map((one, i) =>
    registrationElement(one, `reginfo/registration[${i + 1}]`, unique),
  );
  addExtensions(children, REGINFO, doc.extensions, 'reginfo');
  return writeXml(element(REGINFO, 'reginfo', versionAttributes(doc, 'reginfo'), children));
}

function registrationElement(registration: Registration, place: string, unique: Unique): XmlElement {
  const { aor, id, state, contacts = [] } = registration;
  const attributes = [
    attribute('aor', unique.aors.check(checkUri(aor, `${place}/@aor`), place)),
    attribute('id', unique.ids.check(id, place)),
    attribute('state', checkOneOf(state, registrationStates, `${place}/@state`)),
  ];
  const children = contacts.map((contact, i) => {
    const inside = `${place}/contact[${i + 1}]`;
    if (contact.state === 'active' && state !== 'active') {
      throw documentError(inside, `must not be active in a registration that is ${state} (RFC 3680 section 4.7.1)`);
    }
    return contactElement(contact, inside, unique.contactIds);
  });
  addExtensions(children, REGINFO, registration.extensions, place);
  return element(REGINFO, 'registration', attributes, children);
}

function contactElement(contact: RegistrationContact, place: string, ids: UniqueTexts): XmlElement {
  const { uri, displayName, lang, params = [] } = contact;
  const children = [element(REGINFO, 'uri', [], [checkUri(uri, `${place}/uri`)])];
  if (displayName !== undefined) {
    const note = lang === undefined ? { text: displayName } : { text: displayName, lang };
    children.push(noteElement(REGINFO, 'display-name', note, place));
  }
  params.forEach(({ name, value }, i) => {
    children.push(paramElement(name, value, `${place}/unknown-param[${i + 1}]`));
  });
  addGruus(children, contact, place);
  addExtensions(children, REGINFO, contact.extensions, place, hasField.contact);
  return element(REGINFO, 'contact', contactAttributes(contact, place, ids), children);
}

function contactAttributes(contact: RegistrationContact, place: string, ids: UniqueTexts): XmlAttribute[] {
  const { id, state, event, expires, retryAfter, q, compat } = contact;
  const attributes = [
    attribute('id', ids.check(id, place)),
    attribute('state', checkOneOf(state, ['active', 'terminated'], `${place}/@state`)),
    attribute('event', checkOneOf(event, registrationEvents, `${place}/@event`)),
    ...countAttribute('duration-registered', contact.durationRegistered, place),
    ...countAttribute('expires', expires, place),
    ...countAttribute('retry-after', retryAfter, place),
    ...optionalAttribute('q', q === undefined ? undefined : writeQvalue(q, `${place}/@q`)),
    ...optionalAttribute('callid', contact.callId),
    ...countAttribute('cseq', contact.cseq, place),
    ...optionalAttribute('received', compat?.received),
    ...optionalAttribute('path', compat?.path),
    ...optionalAttribute('user_agent', compat?.userAgent),
  ];
  checkEvent(contact, place);
  return attributes;
}

/** RFC 3680 section 5.1 */
function checkEvent({ state, event, expires, retryAfter }: RegistrationContact, place: string): void {
  if (eventsOfActive.includes(event) !== (state === 'active')) {
    throw documentError(place, `the event ${event} does not lead to the state ${state} (RFC 3680 section 4.7.1)`);
  }
  if (event === 'shortened' && expires === undefined) throw documentError(place, 'shortened needs expires');
  if ((event === 'probation') !== (retryAfter !== undefined)) {
    throw documentError(place, event === 'probation' ? 'probation needs retryAfter' : 'only probation has retryAfter');
  }
}

function paramElement(name: string, value: string, place: string): XmlElement {
  // Readers drop the white space around a value.
  if (typeof value !== 'string' || value !== value.trim()) {
    throw documentError(place, `${quote(String(value))} is no value of a parameter: white space around it, or no text`);
  }
  const attributes = [attribute('name', checkWord(name, `${place}/@name`))];
  return element(REGINFO, 'unknown-param', attributes, value === '' ? [] : [value]);
}

/** RFC 5628 section 5 */
function addGruus(children: XmlElement[], { pubGruu, tempGruu }: RegistrationContact, place: string): void {
  if (pubGruu !== undefined) {
    children.push(element(GRUUINFO, 'pub-gruu', [attribute('uri', checkUri(pubGruu, `${place}/pub-gruu/@uri`))]));
  }
  if (tempGruu === undefined) return;
  const inside = `${place}/temp-gruu`;
  const attributes = [
    attribute('uri', checkUri(tempGruu.uri, `${inside}/@uri`)),
    attribute('first-cseq', String(checkInteger(tempGruu.firstCseq, `${inside}/@first-cseq`, 0))),
  ];
  children.push(element(GRUUINFO, 'temp-gruu', attributes));
}
