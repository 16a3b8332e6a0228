import { extensions, field, list, optionalOneOf, required, trimmed, versioned } from '../common/read.js';
import { Namespace } from '../namespaces.js';
import { attributeOf, childNamed, childrenNamed, isNamed, textOf, type XmlElement } from '../xml/element.js';
import { documentError, wrongRoot } from '../xml/errors.js';
import type { XmlLimits } from '../xml/limits.js';
import { readXml } from '../xml/reader.js';
import { checkOneOf, checkUri, readInteger } from '../xml/values.js';
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
 * Reads a full or partial document. Elements may stand in any order; those of other namespaces are kept as extensions,
 * unknown ones and unknown attributes are passed over. States are read in any case (Kamailio's `Trying`), `display-name` as
 * `display`, an empty identity or target as none; of several identities the first counts.
 * @param limits size and depth; default 256 kB, 64 elements.
 * @throws PuaError `PUA_ERR_DOCUMENT` with the line or the place.
 */
export function readDialogInfo(xml: string | Uint8Array, limits?: XmlLimits): DialogInfo {
  const root = readXml(xml, limits);
  if (!isNamed(root, DIALOG_INFO, 'dialog-info')) throw wrongRoot(root, 'dialog-info', DIALOG_INFO);
  return {
    ...versioned(root),
    entity: checkUri(required(root, 'entity', 'dialog-info'), 'dialog-info/@entity'),
    dialogs: childrenNamed(root, DIALOG_INFO, 'dialog').map((d, i) => dialog(d, `dialog-info/dialog[${i + 1}]`)),
    ...list('extensions', extensions(root, DIALOG_INFO)),
  };
}

function dialog(node: XmlElement, place: string): Dialog {
  const id = attributeOf(node, 'id');
  if (!id) throw documentError(place, 'has no attribute id');
  return {
    id,
    ...field('callId', attributeOf(node, 'call-id')),
    ...field('localTag', attributeOf(node, 'local-tag')),
    ...field('remoteTag', attributeOf(node, 'remote-tag')),
    ...field('direction', optionalOneOf(node, 'direction', ['initiator', 'recipient'], place)),
    ...state(node, place),
    ...field('duration', count(node, 'duration', place)),
    ...field('replaces', replaces(node, place)),
    ...field('referredBy', identity(childNamed(node, DIALOG_INFO, 'referred-by', place), `${place}/referred-by`)),
    ...list('routeSet', routeSet(node, place)),
    ...field('local', participant(node, 'local', place)),
    ...field('remote', participant(node, 'remote', place)),
    ...list('extensions', extensions(node, DIALOG_INFO)),
  };
}

function state(parent: XmlElement, parentPlace: string): Pick<Dialog, 'state' | 'event' | 'code'> {
  const node = childNamed(parent, DIALOG_INFO, 'state', parentPlace);
  if (node === undefined) throw documentError(parentPlace, 'has no state');
  const place = `${parentPlace}/state`;
  const code = trimmed(node, 'code');
  return {
    state: checkOneOf(textOf(node, place).trim().toLowerCase(), dialogStates, place),
    ...field('event', optionalOneOf(node, 'event', dialogEvents, place)),
    ...field('code', code === undefined ? undefined : readInteger(code, `${place}/@code`, 100, 699)),
  };
}

function replaces(parent: XmlElement, parentPlace: string): DialogReplaces | undefined {
  const node = childNamed(parent, DIALOG_INFO, 'replaces', parentPlace);
  if (node === undefined) return undefined;
  const text = (name: string) => {
    const value = attributeOf(node, name);
    if (value === undefined) throw documentError(`${parentPlace}/replaces`, `has no attribute ${name}`);
    return value;
  };
  return { callId: text('call-id'), localTag: text('local-tag'), remoteTag: text('remote-tag') };
}

function routeSet(parent: XmlElement, parentPlace: string): string[] {
  const node = childNamed(parent, DIALOG_INFO, 'route-set', parentPlace);
  if (node === undefined) return [];
  return childrenNamed(node, DIALOG_INFO, 'hop').map((hop, i) => {
    const place = `${parentPlace}/route-set/hop[${i + 1}]`;
    return checkUri(textOf(hop, place).trim(), place);
  });
}

function participant(parent: XmlElement, name: 'local' | 'remote', parentPlace: string): DialogParticipant | undefined {
  const node = childNamed(parent, DIALOG_INFO, name, parentPlace);
  if (node === undefined) return undefined;
  const place = `${parentPlace}/${name}`;
  return {
    // RFC 4235 section 4.1.6.1 speaks of several identities; its schema has one.
    ...field('identity', identity(childrenNamed(node, DIALOG_INFO, 'identity')[0], `${place}/identity`)),
    ...field('target', target(childNamed(node, DIALOG_INFO, 'target', place), `${place}/target`)),
    ...field('sessionDescription', sessionDescription(node, place)),
    ...field('cseq', count(node, 'cseq', place)),
    ...list('extensions', extensions(node, DIALOG_INFO)),
  };
}

function identity(node: XmlElement | undefined, place: string): DialogIdentity | undefined {
  const uri = node && textOf(node, place).trim();
  if (node === undefined || !uri) return undefined;
  return {
    uri: checkUri(uri, place),
    ...field('display', attributeOf(node, 'display') ?? attributeOf(node, 'display-name')),
  };
}

function target(node: XmlElement | undefined, place: string): DialogTarget | undefined {
  const uri = node && trimmed(node, 'uri');
  if (node === undefined || !uri) return undefined;
  return {
    uri: checkUri(uri, `${place}/@uri`),
    ...field('display', attributeOf(node, 'display')),
    ...list(
      'params',
      childrenNamed(node, DIALOG_INFO, 'param').map((param, i) => ({
        name: required(param, 'pname', `${place}/param[${i + 1}]`),
        value: attributeOf(param, 'pval') ?? 'true',
      })),
    ),
  };
}

function sessionDescription(parent: XmlElement, parentPlace: string): DialogParticipant['sessionDescription'] {
  const node = childNamed(parent, DIALOG_INFO, 'session-description', parentPlace);
  if (node === undefined) return undefined;
  const place = `${parentPlace}/session-description`;
  return { type: required(node, 'type', place), text: textOf(node, place) };
}

function count(parent: XmlElement, name: 'duration' | 'cseq', place: string): number | undefined {
  const node = childNamed(parent, DIALOG_INFO, name, place);
  return node && readInteger(textOf(node, `${place}/${name}`), `${place}/${name}`, 0);
}
