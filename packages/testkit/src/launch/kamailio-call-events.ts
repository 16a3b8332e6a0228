/**
 * The part of a proxy's kamailio.cfg that tells a web server what becomes of calls: JSON objects (DialogEvent), posted one
 * after the other.
 *
 *   INVITE -> created   18x -> early   2xx -> confirmed   BYE -> terminated   no time left -> expired   300..699 -> failed
 */
import type { Modparam } from './kamailio-script.js';

export interface Webhook {
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
}

export const CALL_EVENT_MODULES = ['xlog', 'cfgutils', 'mqueue', 'rtimer', 'jansson', 'http_client'];

export const CALL_EVENT_MODPARAMS: readonly Modparam[] = [
  // The oldest are given up when the web server is away for long.
  ['mqueue', 'mqueue', 'name=calls;size=10000;'],
  // A process of its own posts them, so that no call waits for the web server, and they stay in order.
  ['rtimer', 'timer', 'name=poster;interval=20000u;mode=1;'],
  ['rtimer', 'exec', 'timer=poster;route=POST_CALLS'],
  ['http_client', 'connection_timeout', 2],
];

export const callEvents = ({ url, token }: Webhook): string => `
# What all events of a call have in common; $var(kind) and $var(state) say which it is.
route[CALL] {
    $var(call) = "{}";
    jansson_set("string", "kind", "$var(kind)", "$var(call)");
    jansson_set("string", "dialog.key", "$dlg(h_entry):$dlg(h_id)", "$var(call)");
    jansson_set("string", "dialog.callId", "$dlg(callid)", "$var(call)");
    jansson_set("string", "dialog.state", "$var(state)", "$var(call)");
    jansson_set("string", "dialog.caller.uri", "$dlg(from_uri)", "$var(call)");
    jansson_set("string", "dialog.caller.tag", "$dlg(from_tag)", "$var(call)");
    jansson_set("string", "dialog.caller.contact", "$dlg(from_contact)", "$var(call)");
    jansson_set("string", "dialog.callee.uri", "$dlg(to_uri)", "$var(call)");
    # How long the call may last if nothing more is heard of it: in seconds, longer than fr_inv_timer of tm while it rings.
    if ($var(kind) == "confirmed") jansson_set("integer", "dialog.lifetime", "$dlg(lifetime)", "$var(call)");
    else if ($var(state) != "terminated") jansson_set("integer", "dialog.lifetime", "180", "$var(call)");
}

# A reply of the callee tells its tag and its Contact.
route[CALLEE] {
    jansson_set("string", "dialog.callee.tag", "$tt", "$var(call)");
    if ($ct != $null) jansson_set("string", "dialog.callee.contact", "$(ct{nameaddr.uri})", "$var(call)");
}

route[CALL_CREATED] {
    $var(kind) = "created";
    $var(state) = "trying";
    route(CALL);
    jansson_set("string", "dialog.requestUri", "$ou", "$var(call)");
    if ($fn != $null) jansson_set("string", "dialog.caller.display", "$(fn{s.unquote}{s.unescape.common})", "$var(call)");
    if ($tn != $null) jansson_set("string", "dialog.callee.display", "$(tn{s.unquote}{s.unescape.common})", "$var(call)");
    # Who wants to be anonymous (RFC 3323) is so for watchers, too.
    if ($hdr(Privacy) =~ "id|user") jansson_set("array", "dialog.privacy.caller", '["id"]', "$var(call)");
    mq_add("calls", "$dlg(callid)", "$var(call)");
}

onreply_route[CALL] {
    if ($rs < 180 || $rs > 189 || $tt == $null) return;
    $var(kind) = "early";
    $var(state) = "early";
    route(CALL);
    route(CALLEE);
    mq_add("calls", "$dlg(callid)", "$var(call)");
}

event_route[dialog:start] {
    $var(kind) = "confirmed";
    $var(state) = "confirmed";
    route(CALL);
    route(CALLEE);
    mq_add("calls", "$dlg(callid)", "$var(call)");
}

event_route[dialog:failed] {
    $var(kind) = "failed";
    $var(state) = "terminated";
    route(CALL);
    # The callee's answer, or ours, or time has run out without one.
    $var(code) = 408;
    if ($rs != $null) $var(code) = $rs;
    else if ($avp(answer) != $null) $var(code) = $avp(answer);
    jansson_set("integer", "dialog.reason.code", "$var(code)", "$var(call)");
    if ($var(code) == 487) {
        jansson_set("string", "dialog.reason.event", "cancelled", "$var(call)");
        jansson_set("string", "dialog.reason.by", "caller", "$var(call)");
    } else {
        jansson_set("string", "dialog.reason.event", "rejected", "$var(call)");
    }
    mq_add("calls", "$dlg(callid)", "$var(call)");
}

event_route[dialog:end] {
    $var(kind) = "terminated";
    $var(state) = "terminated";
    $var(why) = "bye";
    # The end of the call's time comes without a request of its own.
    if ($rm != "BYE") {
        $var(kind) = "expired";
        $var(why) = "timeout";
    }
    route(CALL);
    jansson_set("string", "dialog.callee.tag", "$dlg(to_tag)", "$var(call)");
    jansson_set("string", "dialog.reason.event", "$var(why)", "$var(call)");
    if ($rm == "BYE") {
        $var(by) = "callee";
        if ($ft == $dlg(from_tag)) $var(by) = "caller";
        jansson_set("string", "dialog.reason.by", "$var(by)", "$var(call)");
    }
    mq_add("calls", "$dlg(callid)", "$var(call)");
}

# What could not be posted stays with this process, and what came later waits: while nobody answers, and for ten seconds of 5xx.
route[POST_CALLS] {
    $var(round) = 0;
    # A loop may have 100 rounds.
    while ($var(round) < 50 && ($var(waits) == 1 || mq_fetch("calls"))) {
        $var(round) = $var(round) + 1;
        $var(waits) = 1;
        http_client_query("${url}", "$mqv(calls)", "Content-Type: application/json${token ? `\\r\\nAuthorization: Bearer ${token}` : ''}", "$var(answer)");
        # Below 100 it is an error of curl.
        $var(status) = $rc;
        if ($var(status) >= 500) $var(refused) = $var(refused) + 1;
        if ($var(status) < 100 || ($var(status) >= 500 && $var(refused) < 50)) {
            usleep(200000);
            return;
        }
        if ($var(status) >= 300) xlog("L_ERR", "call $mqk(calls): webhook said $var(status) $var(answer)\\n");
        $var(waits) = 0;
        $var(refused) = 0;
    }
}
`;
