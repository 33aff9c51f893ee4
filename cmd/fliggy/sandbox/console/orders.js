// Renewals and main orders, their states and the buttons for events 103, 104, 142 and 141.
import {$, h, t, ask, badge, button, facts, frame, known, onRender, whenFull} from './dom.js';
import {api, on, store} from './api.js';
import {sayPushed} from './pushes.js';
import {showCall} from './calls.js';
import {showTab} from './tabs.js';

const looks = {submitted: 'warn', accepted: 'good', rejected: 'bad', cancelled: '', requested: 'warn', succeeded: 'good', failed: 'bad'};
const state = (name) => badge(looks[name] ?? '', known('state', name));
const yuan = (amount) => amount ? t('yuan', {amount}) : '';

// steps are the states that a renewal went through.
function steps(renewal) {
  const passed = ['submitted'];
  if (renewal.state === 'accepted' || renewal.state === 'rejected') passed.push(renewal.state);
  if (renewal.state === 'cancelled') passed.push('cancelled');
  for (const refund of renewal.refunds) passed.push(`142 ${refund.state}`);
  return h('ol', {class: 'steps', 'aria-label': t('steps')}, passed.map((step) => {
    const [event, name] = step.includes(' ') ? step.split(' ') : ['', step];
    return h('li', {}, badge(looks[name] ?? '', `${event} ${known('state', name)}`.trim()));
  }));
}

const refundLines = (refunds) => refunds.length === 0 ? '' : h('ul', {class: 'refunds', 'aria-label': t('refunds')}, refunds.map((refund) =>
  h('li', {}, state(refund.state), h('strong', {}, yuan(refund.amount)), h('span', {}, known('refund', refund.type)),
    h('span', {class: 'muted'}, refund.reason ?? ''), h('code', {class: 'muted'}, refund.pay_trade_no))));

async function refund(path, id, event, amount) {
  const entered = await ask({
    title: `${t('refund.title')} (${event})`, text: `${id} – ${t('refund.text')}`, confirm: t(event === 142 ? 'refund.renewal' : 'refund.order'),
    fields: [
      {label: t('amount'), input: h('input', {name: 'amount', required: true, inputmode: 'decimal', pattern: '[0-9]+(\\.[0-9]{1,2})?',
        value: amount, autocomplete: 'off', 'data-action': 'refund-amount'})},
      {label: t('refund.type'), input: h('select', {name: 'type', 'data-action': 'refund-type'},
        [5, 1, 2, 3, 4, -1].map((type) => h('option', {value: type}, t(`refund.${type}`))))},
      {label: t('reason'), input: h('input', {name: 'reason', autocomplete: 'off', 'data-action': 'refund-reason'})},
    ],
  });
  if (!entered) return;
  sayPushed(await api('POST', `${path}/${encodeURIComponent(id)}/refund`, {
    amount: entered.amount, type: Number(entered.type), reason: entered.reason,
  }));
}

async function reject(id) {
  const entered = await ask({
    title: t('reject.title'), text: id, confirm: t('reject'), danger: true,
    fields: [
      {label: t('reject.code'), input: h('input', {name: 'code', required: true, value: '71008', 'data-action': 'reject-code'})},
      {label: t('reject.message'), input: h('input', {name: 'message', value: '商家接单失败', 'data-action': 'reject-message'})},
    ],
  });
  if (entered) sayPushed(await api('POST', `renewals/${encodeURIComponent(id)}/reject`, entered));
}

const named = (what, id) => ({'aria-label': t('for', {what, id})});

function renewalCard(r) {
  const id = r.renewal_order_id;
  const waits = r.state === 'submitted';
  return h('li', {class: r.double_of ? 'card double' : 'card', 'data-id': id, 'data-state': r.state},
    h('div', {class: 'heading'}, h('h3', {class: 'id'}, id), steps(r)),
    r.double_of ? h('p', {class: 'double-note'}, t('double', {id: r.double_of})) : '',
    facts([
      [t('period'), r.start_time && `${whenFull(r.start_time).slice(0, 16)} → ${whenFull(r.end_time).slice(0, 16)}`], [t('total'), yuan(r.total)],
      [t('your_id'), r.renewal_out_order_id && h('code', {}, r.renewal_out_order_id)], [t('order_id'), h('code', {}, r.order_id)],
      [t('created'), whenFull(r.created_time)], [t('cancel_fee'), yuan(r.cancel_fee)],
      [t('error'), r.error_code && `${r.error_code} ${r.error_message ?? ''}`],
    ], id),
    refundLines(r.refunds),
    h('p', {class: 'actions'},
      waits ? button(t('accept'), 'accept', async () => sayPushed(await api('POST', `renewals/${encodeURIComponent(id)}/accept`)),
        {class: 'primary', ...named(t('accept'), id)}) : null,
      waits ? button(t('reject'), 'reject', () => reject(id), named(t('reject'), id)) : null,
      r.state === 'accepted' || r.state === 'cancelled' ?
        button(t('refund.renewal'), 'refund-renewal', () => refund('renewals', id, 142, r.cancel_fee || r.total || ''),
          named(t('refund.renewal'), id)) : null,
      r.call_id ? button(t('show.call'), 'show-call', () => { showTab('calls'); return showCall(r.call_id); },
        {class: 'quiet', ...named(t('show.call'), id)}) : null));
}

function orderCard(o) {
  const id = o.order_id;
  return h('li', {class: 'card', 'data-id': id},
    h('div', {class: 'heading'}, h('h3', {class: 'id'}, id), o.renewable ? badge('good', t('renewable')) : ''),
    facts([
      [t('car'), o.car], [t('period'), o.car_use_time && `${whenFull(o.car_use_time).slice(0, 16)} → ${whenFull(o.car_return_time).slice(0, 16)}`],
      [t('your_id'), o.out_order_id && h('code', {}, o.out_order_id)], [t('channel'), o.channel_id], [t('cancel_fee'), yuan(o.cancel_fee)],
    ], id),
    refundLines(o.refunds),
    h('p', {class: 'actions'}, button(t('refund.order'), 'refund-order', () => refund('orders', id, 141, ''), named(t('refund.order'), id))));
}

// cards shows a list of cards, and makes those anew whose contents changed: the focus stays where it is.
export function cards(ul, views, {id, card, none}) {
  const old = new Map([...ul.children].map((li) => [li.dataset.id, li]));
  let next = ul.firstElementChild;
  for (const view of views) {
    const content = JSON.stringify(view) + document.documentElement.lang;
    let li = old.get(id(view));
    if (!li || li.content !== content) {
      const action = li?.contains(document.activeElement) ? document.activeElement.dataset.action : undefined;
      const made = card(view);
      made.dataset.id = id(view);
      made.content = content;
      if (li) {
        if (li === next) next = made;
        li.replaceWith(made);
        if (action !== undefined) (made.querySelector(`[data-action="${action}"]`) ?? made.querySelector('button'))?.focus();
      }
      li = made;
    }
    old.delete(id(view));
    if (li === next) next = li.nextElementSibling;
    else ul.insertBefore(li, next);
  }
  for (const li of old.values()) li.remove();
  if (views.length === 0) ul.append(h('li', {class: 'empty', 'data-id': ''}, none));
}

function render() {
  if (!store.state) return;
  const {renewals, orders, renewal_count: count} = store.state;
  const doubles = renewals.filter((r) => r.double_of).length;
  $('doubles').hidden = doubles === 0;
  $('doubles').textContent = t('doubles', {n: doubles});
  const shown = renewals.toReversed().slice(0, 50);
  cards($('renewals'), shown, {id: (r) => r.renewal_order_id, card: renewalCard, none: t('renewals.none')});
  cards($('orders'), orders.slice(0, 50), {id: (o) => o.order_id, card: orderCard, none: t('orders.none')});
  $('renewals').dataset.more = count > shown.length ? t('renewals.more', {n: shown.length, of: count}) : '';
}

on('state', frame(render));
onRender(render);
