import { addExtensions, optionalAttribute, versionAttributes } from '../common/write.js';
import { Namespace } from '../namespaces.js';
import { attribute, element, type XmlElement } from '../xml/element.js';
import { documentError } from '../xml/errors.js';
import { checkInteger, checkOneOf, checkUri, checkWord, UniqueTexts } from '../xml/values.js';
import { writeXml } from '../xml/writer.js';
import {
  type Dialog,
  type DialogIdentity,
  type DialogInfo,
  type DialogParticipant,
  type DialogReplaces,
  type DialogTarget,
  dialogEvents,
  dialogStates,
} from './model.js';

const { DIALOG_INFO } = Namespace;

/**
 * Writes a document, in the order of the schema (RFC 4235 section 4.4).
 * @throws PuaError `PUA_ERR_DOCUMENT` naming the place (`dialog-info/dialog[2]/local/target`): a value its schema or RFC does
 * not allow, two equal ids, a character illegal in XML 1.0.
 */
export function writeDialogInfo(doc: DialogInfo): string {
  const ids = new UniqueTexts('id');
  const children = doc.dialogs.map((dialog, i) => dialogElement(dialog, `dialog-info/dialog[${i + 1}]`, ids));
  addExtensions(children, DIALOG_INFO, doc.extensions, 'dialog-info');
  const attributes = [
    ...versionAttributes(doc, 'dialog-info'),
    attribute('entity', checkUri(doc.entity, 'dialog-info/@entity')),
  ];
  return writeXml(element(DIALOG_INFO, 'dialog-info', attributes, children));
}

function dialogElement(dialog: Dialog, place: string, ids: UniqueTexts): XmlElement {
  const { direction, duration, replaces, referredBy, routeSet, local, remote } = dialog;
  const children = [stateElement(dialog, `${place}/state`)];
  if (duration !== undefined) children.push(countElement('duration', duration, place));
  if (replaces !== undefined) children.push(replacesElement(replaces));
  if (referredBy !== undefined) children.push(identityElement('referred-by', referredBy, place));
  if (routeSet !== undefined && routeSet.length > 0) children.push(routeSetElement(routeSet, `${place}/route-set`));
  if (local !== undefined) children.push(participantElement('local', local, `${place}/local`));
  if (remote !== undefined) children.push(participantElement('remote', remote, `${place}/remote`));
  addExtensions(children, DIALOG_INFO, dialog.extensions, place);
  const attributes = [
    attribute('id', ids.check(dialog.id, place)),
    ...optionalAttribute('call-id', dialog.callId),
    ...optionalAttribute('local-tag', dialog.localTag),
    ...optionalAttribute('remote-tag', dialog.remoteTag),
  ];
  if (direction !== undefined) {
    attributes.push(attribute('direction', checkOneOf(direction, ['initiator', 'recipient'], `${place}/@direction`)));
  }
  return element(DIALOG_INFO, 'dialog', attributes, children);
}

function stateElement({ state, event, code }: Dialog, place: string): XmlElement {
  const attributes = [];
  if (event !== undefined) {
    attributes.push(attribute('event', checkOneOf(event, dialogEvents, `${place}/@event`)));
    if (state !== 'terminated') {
      throw documentError(`${place}/@event`, `tells why a dialog is terminated, not ${state} (RFC 4235 section 4.1.2)`);
    }
  }
  if (code !== undefined) attributes.push(attribute('code', String(checkInteger(code, `${place}/@code`, 100, 699))));
  return element(DIALOG_INFO, 'state', attributes, [checkOneOf(state, dialogStates, place)]);
}

function replacesElement({ callId, localTag, remoteTag }: DialogReplaces): XmlElement {
  const attributes = [
    attribute('call-id', callId),
    attribute('local-tag', localTag),
    attribute('remote-tag', remoteTag),
  ];
  return element(DIALOG_INFO, 'replaces', attributes);
}

function routeSetElement(routeSet: readonly string[], place: string): XmlElement {
  const hops = routeSet.map((hop, i) => element(DIALOG_INFO, 'hop', [], [checkUri(hop, `${place}/hop[${i + 1}]`)]));
  return element(DIALOG_INFO, 'route-set', [], hops);
}

function participantElement(name: 'local' | 'remote', side: DialogParticipant, place: string): XmlElement {
  const { identity, target, sessionDescription, cseq } = side;
  const children: XmlElement[] = [];
  if (identity !== undefined) children.push(identityElement('identity', identity, place));
  if (target !== undefined) children.push(targetElement(target, `${place}/target`));
  if (sessionDescription !== undefined) {
    const { type, text } = sessionDescription;
    const types = [attribute('type', checkWord(type, `${place}/session-description/@type`))];
    children.push(element(DIALOG_INFO, 'session-description', types, text === '' ? [] : [text]));
  }
  if (cseq !== undefined) children.push(countElement('cseq', cseq, place));
  addExtensions(children, DIALOG_INFO, side.extensions, place);
  return element(DIALOG_INFO, name, [], children);
}

/** Of type `nameaddr`. The text and the examples of RFC 4235 call the attribute `display`, its schema `display-name`. */
function identityElement(name: string, { uri, display }: DialogIdentity, place: string): XmlElement {
  return element(DIALOG_INFO, name, optionalAttribute('display', display), [checkUri(uri, `${place}/${name}`)]);
}

function targetElement({ uri, display, params = [] }: DialogTarget, place: string): XmlElement {
  const attributes = [attribute('uri', checkUri(uri, `${place}/@uri`)), ...optionalAttribute('display', display)];
  const children = params.map(({ name, value }, i) =>
    element(DIALOG_INFO, 'param', [
      attribute('pname', checkWord(name, `${place}/param[${i + 1}]/@pname`)),
      attribute('pval', value),
    ]),
  );
  return element(DIALOG_INFO, 'target', attributes, children);
}

function countElement(name: string, value: number, place: string): XmlElement {
  return element(DIALOG_INFO, name, [], [String(checkInteger(value, `${place}/${name}`, 0))]);
}
