// Faults: a switch for each kind, and those that are active.
import {$, h, t, act, badge, button, frame, known, onRender, whenFull} from './dom.js';
import {api, on, refreshNow, store} from './api.js';
import {cards} from './orders.js';

const methods = [
  'city.query', 'vehicle.query', 'order.query', 'order.cancelcheck', 'renewaldetail.query', 'renewal.submit',
  'renewal.checkcancel', 'renewal.order.cancel', 'distribution.callback', 'bill.notify',
].map((name) => `alitrip.rentcar.btb.${name}`).concat([
  'alitrip.rentcar.zzc.callback.order.create', 'alitrip.rentcar.zzc.callback.order.update',
  'qimen.alitrip.rentcar.renewalprices.query', 'qimen.alitrip.rentcar.renewalorder.submit',
  'qimen.alitrip.rentcar.renewalorder.cancel',
]);

const order = ['unavailable', 'ban', 'delay', 'hanging', 'cut', 'dropped', 'html', 'http_status', 'truncated_gzip', 'gbk', 'no_flag', 'business'];

const number = (name, label, value, min, max) => ({name, label, input: () => h('input', {
  type: 'number', class: 'short', value, min, max, step: 'any', required: true, 'data-action': `fault-${name}`}), read: Number});
const text = (name, label, value) => ({name, label, input: () => h('input', {value, 'data-action': `fault-${name}`}), read: String});

// What a kind of fault needs to know.
const members = {
  delay: [number('seconds', 'seconds', 3, 0.1, 86400)],
  ban: [number('seconds', 'seconds', 10, 0.1, 86400), {
    name: 'sub_code', label: 'faults.sub_code', read: String,
    input: () => h('select', {'data-action': 'fault-sub_code'},
      ['api', 'app', 'app_api', 'dynamic'].map((value) => h('option', {value, 'data-t': `sub_code.${value}`}))),
  }],
  http_status: [number('status', 'faults.http', 503, 200, 599)],
  business: [text('code', 'code', '012'), text('message', 'message', '车辆不可用')],
};

const kinds = new Map(); // by name: the switch and the inputs

function make(kind) {
  const inputs = (members[kind] ?? []).map((member) => ({...member, element: member.input()}));
  const toggle = h('button', {
    type: 'button', role: 'switch', class: 'switch', 'aria-checked': 'false', 'data-action': `fault-${kind}`,
    'aria-labelledby': `kind-${kind}`, 'aria-describedby': `what-${kind}`,
  }, h('span', {class: 'track'}));
  toggle.addEventListener('click', () => act(toggle, async () => {
    const active = store.state.faults.filter((fault) => fault.kind === kind);
    if (active.length > 0) {
      await Promise.all(active.map(({id}) => api('DELETE', `faults/${encodeURIComponent(id)}`)));
    } else {
      const spec = {kind, times: $('fault-times').value === 'once' && kind !== 'ban' ? 1 : 0};
      if ($('fault-method').value) spec.methods = [$('fault-method').value];
      if ($('fault-after').checked) spec.after_commit = true;
      for (const {name, element, read} of inputs) spec[name] = read(element.value);
      await api('POST', 'faults', spec);
    }
    await refreshNow();
  }));
  const title = h('strong', {id: `kind-${kind}`}), what = h('span', {class: 'muted', id: `what-${kind}`});
  $('fault-kinds').append(h('li', {class: 'fault-kind'}, toggle, h('div', {class: 'grow'}, title, what,
    inputs.length === 0 ? null : h('div', {class: 'inputs'}, inputs.map(({label, element}) =>
      h('label', {class: 'field'}, h('span', {'data-t': label}), element))))));
  kinds.set(kind, {toggle, title, what});
  for (const e of $('fault-kinds').querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
}

function activeCard(fault) {
  const name = `${known('kind', fault.kind)}${fault.seconds ? ` ${fault.seconds} s` : ''}${fault.status ? ` ${fault.status}` : ''}`;
  return h('li', {class: 'card line'},
    h('strong', {}, name), h('span', {class: 'muted method'}, fault.methods?.join(', ') ?? t('faults.all')),
    fault.until ? badge('warn', t('faults.until', {time: whenFull(fault.until)})) :
      badge('warn', fault.left < 0 ? t('faults.left.all') : t('faults.left', {n: fault.left})),
    fault.after_commit ? badge('', t('faults.commit')) : null,
    h('span', {class: 'grow'}),
    button(t('faults.remove'), 'fault-remove', async () => {
      await api('DELETE', `faults/${encodeURIComponent(fault.id)}`);
      await refreshNow();
    }, {'aria-label': t('for', {what: t('faults.remove'), id: name})}));
}

function render() {
  const s = store.state;
  if (!s) return;
  for (const kind of [...order, ...s.kinds].filter((k) => s.kinds.includes(k))) if (!kinds.has(kind)) make(kind);
  for (const [kind, {toggle, title, what}] of kinds) {
    title.textContent = known('kind', kind);
    what.textContent = order.includes(kind) ? t(`kind.${kind}.what`) : '';
    toggle.setAttribute('aria-checked', String(s.faults.some((fault) => fault.kind === kind)));
  }
  $('faults-clear').hidden = s.faults.length === 0;
  cards($('faults-active'), s.faults, {id: ({id}) => id, card: activeCard, none: t('faults.none')});
}

function fillMethods() {
  const select = $('fault-method'), value = select.value;
  select.replaceChildren(h('option', {value: ''}, t('faults.all')), ...methods.map((name) => h('option', {value: name}, name)));
  select.value = value;
}

on('state', frame(render));
onRender(() => {
  fillMethods();
  render();
});
$('faults-clear').addEventListener('click', () => act($('faults-clear'), async () => {
  await api('DELETE', 'faults');
  await refreshNow();
}));
$('fault-options').addEventListener('submit', (event) => event.preventDefault());
