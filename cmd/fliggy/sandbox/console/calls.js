// Calls: the list, and one in detail.
import {$, h, t, known, badge, code, facts, frame, onRender, pretty, table, when, whenFull} from './dom.js';
import {api, on, store} from './api.js';
import {list} from './list.js';

const search = $('calls-search'), which = $('calls-which'), pause = $('calls-pause');
let paused = null; // the calls that are shown while it is paused

const signatures = {valid: 'good', invalid: 'bad', missing: 'bad'};
const signature = (call) => badge(signatures[call.signature] ?? '', known('signature', call.signature));
const status = (call) => !call.done ? badge('', t('code.waiting')) :
  call.code ? badge('bad', call.code) : call.http_status === 200 ? badge('good', t('code.ok')) :
  badge('bad', call.http_status ? `HTTP ${call.http_status}` : t('answer.none'));

const chosen = {
  all: () => true,
  refused: (call) => call.signature !== 'valid',
  error: (call) => call.code,
  fault: (call) => call.fault,
};

function method(name) {
  const cut = name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1;
  return h('span', {class: 'method', title: name}, cut > 0 ? h('span', {class: 'prefix'}, name.slice(0, cut)) : null,
    h('span', {}, name.slice(cut) || '–'));
}

const rows = list({name: 'calls', kind: 'call', views: store.calls,
  cells: (call) => [
    h('span', {class: 'num', title: whenFull(call.time)}, when(call.time)),
    method(call.method), signature(call), status(call),
    h('span', {class: 'fault', title: call.fault}, call.fault ? `⚡ ${faultName(call.fault)}` : ''),
    h('span', {class: 'muted'}, call.executed ? t('executed.yes') : ''),
  ],
  detail,
  isBad: (call) => call.signature !== 'valid',
});

// The sandbox names a fault and, in brackets, what it is called in the list of faults.
const faultName = (text) => text.replace(/ \(fault-\d+\)$/, '');

function matches(call) {
  const word = search.value.trim().toLowerCase();
  return chosen[which.value](call) && (!word || [call.method, call.code, call.id].some((v) => v?.toLowerCase().includes(word)));
}

function render() {
  const all = paused ?? [...store.calls.values()];
  const shown = all.filter(matches);
  rows.show(shown);
  const newest = paused?.at(-1)?.id ?? '';
  const newer = paused ? [...store.calls.keys()].filter((id) => id > newest).length : 0;
  $('calls-count').textContent = paused ? t('paused', {n: newer}) : t('shown', {n: shown.length, of: all.length});
  $('calls-empty').hidden = shown.length > 0;
  $('calls-empty').textContent = all.length > 0 ? t('calls.nomatch') :
    store.state ? t('calls.none', {url: store.state.top, key: store.state.app_key}) : '';
}

const update = frame(render);
on('calls', update);
on('state', update);
onRender(() => {
  rows.forget();
  render();
});
search.addEventListener('input', update);
which.addEventListener('change', update);
pause.addEventListener('click', () => {
  paused = paused ? null : [...store.calls.values()];
  pause.setAttribute('aria-checked', String(paused !== null));
  update();
});

// showCall opens a call from elsewhere in the page.
export const showCall = (id) => rows.open(id);

const names = (label, values) => Object.keys(values ?? {}).length === 0 ? '' :
  h('section', {}, h('h4', {}, label), table(label, [t('name'), t('value')],
    Object.entries(values).sort(([a], [b]) => a < b ? -1 : 1).map(([name, value]) => [h('code', {}, name), h('code', {class: 'value'}, pretty(value))])));

function why(refused) {
  const isSignature = ['24', '25'].includes(refused.code);
  return h('section', {class: 'why'}, h('h4', {}, t(isSignature ? 'why.signature' : 'why.call')),
    facts([
      [t('why.cause'), refused.cause && known('cause', refused.cause)],
      [t('why.parameter'), refused.parameter && h('code', {}, refused.parameter)],
      [t('why.reason'), refused.cause === 'secret' ? '' : refused.reason],
    ], t('why.call')),
    code(t('why.expected'), refused.signed_text, mark(refused.signed_text, refused.parameter)));
}

// mark shows where the parameter that differs is in a text, where that is the only place.
function mark(text, name) {
  const at = text?.indexOf(name);
  if (!name || at < 0 || text.indexOf(name, at + 1) >= 0) return text;
  const span = h('span', {}, text.slice(0, at), h('mark', {}, name), text.slice(at + name.length));
  return span;
}

async function detail(id) {
  const call = await api('GET', `calls/${encodeURIComponent(id)}`);
  return {
    title: call.method || '–',
    isFinal: call.done,
    content: [
      h('p', {class: 'badges'}, signature(call), status(call),
        call.done ? badge(call.executed ? 'good' : '', t(call.executed ? 'executed.yes' : 'executed.no')) : null,
        call.fault ? badge('warn', `⚡ ${call.fault}`) : null),
      call.refused ? why(call.refused) : '',
      facts([
        [t('call.id'), h('code', {}, call.id)], [t('time'), `${whenFull(call.time)} GMT+8`],
        [t('gateway'), call.gateway === 'qimen' ? 'Qimen' : 'TOP'], [t('http'), call.http_method],
        [t('http.status'), call.http_status || ''],
      ], t('call.detail')),
      names(t('params'), call.params),
      names(t('protocol'), call.protocol),
      code(t('signed_text'), call.signed_text),
      code(t('body'), call.body),
      call.reply ? code(t('reply'), call.reply, pretty(call.reply)) : call.done ? h('p', {class: 'muted'}, t('reply.none')) : '',
    ],
  };
}
