import { count, field, language, required, versioned } from '../common/read.js';
import { Namespace } from '../namespaces.js';
import { attributeOf, childrenNamed, isNamed, textOf, type XmlElement } from '../xml/element.js';
import { wrongRoot } from '../xml/errors.js';
import type { XmlLimits } from '../xml/limits.js';
import { readXml } from '../xml/reader.js';
import { checkOneOf, checkUri } from '../xml/values.js';
import { type Watcher, type WatcherInfo, type WatcherList, watcherEvents, watcherStatuses } from './model.js';

const { WATCHERINFO } = Namespace;

/**
 * Reads a full or partial document. Elements of other namespaces and unknown attributes are passed over.
 * @param limits size and depth; default 256 kB, 64 elements.
 * @throws PuaError `PUA_ERR_DOCUMENT` with the line or the place.
 */
export function readWatcherInfo(xml: string | Uint8Array, limits?: XmlLimits): WatcherInfo {
  const root = readXml(xml, limits);
  if (!isNamed(root, WATCHERINFO, 'watcherinfo')) throw wrongRoot(root, 'watcherinfo', WATCHERINFO);
  return {
    ...versioned(root),
    lists: childrenNamed(root, WATCHERINFO, 'watcher-list').map(watcherList),
  };
}

function watcherList(node: XmlElement, index: number): WatcherList {
  const place = `watcherinfo/watcher-list[${index + 1}]`;
  return {
    resource: checkUri(required(node, 'resource', place), `${place}/@resource`),
    package: required(node, 'package', place),
    watchers: childrenNamed(node, WATCHERINFO, 'watcher').map((w, i) => watcher(w, `${place}/watcher[${i + 1}]`)),
  };
}

function watcher(node: XmlElement, place: string): Watcher {
  return {
    id: required(node, 'id', place),
    uri: checkUri(textOf(node, place).trim(), place),
    status: checkOneOf(required(node, 'status', place), watcherStatuses, `${place}/@status`),
    event: checkOneOf(required(node, 'event', place), watcherEvents, `${place}/@event`),
    ...field('displayName', attributeOf(node, 'display-name')),
    ...language(node),
    ...field('expiration', count(node, 'expiration', place)),
    ...field('durationSubscribed', count(node, 'duration-subscribed', place)),
  };
}
