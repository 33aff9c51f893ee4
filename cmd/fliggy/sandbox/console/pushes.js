// Pushes: the list, one in detail with what can be done again, and events by hand.
import {$, h, t, act, badge, button, code, facts, frame, onRender, pretty, say, when, whenFull} from './dom.js';
import {api, on, store} from './api.js';
import {list} from './list.js';

export const late = 11 * 60; // seconds: Fliggy's window is ten minutes

export const eventName = (type) => [103, 104, 141, 142].includes(type) ? t(`event.${type}`) :
  type ? t('event.other', {type}) : t('event.none');

const answer = (push) => push.accepted ? badge('good', t('answer.accepted')) :
  push.http_status ? badge('bad', t('answer.refused')) : badge('bad', t('answer.none'));

// sayPushed tells what became of a push.
export function sayPushed(push) {
  const event = eventName(push.event_type);
  if (push.accepted) say(t('pushed.accepted', {event}));
  else if (push.http_status) say(t('pushed.refused', {event, status: push.http_status}), true);
  else say(t('pushed.failed', {event, error: push.error ?? ''}), true);
}

const rows = list({name: 'pushes', kind: 'push', views: store.pushes,
  cells: (push) => [
    h('span', {class: 'num', title: whenFull(push.time)}, when(push.time)),
    h('span', {}, eventName(push.event_type)),
    h('span', {class: 'num id'}, push.order_id ?? ''),
    h('span', {class: 'num'}, push.http_status || '–'),
    answer(push),
  ],
  detail,
  isBad: (push) => !push.accepted,
});

function render() {
  const shown = [...store.pushes.values()];
  rows.show(shown);
  $('pushes-empty').hidden = shown.length > 0;
  $('pushes-empty').textContent = t('pushes.none');
}

on('pushes', frame(render));
onRender(() => {
  rows.forget();
  render();
});

// Each way to push again, with what it asks of the control API.
const ways = [
  ['again', {}], ['late', {late_seconds: late}], ['bad', {bad_signature: true}], ['unsigned', {unsigned: true}],
  ['form', {form: true}], ['gbk', {gbk: true}], ['five', {times: 5}],
];

async function detail(id) {
  const push = await api('GET', `pushes/${encodeURIComponent(id)}`);
  return {
    title: eventName(push.event_type),
    isFinal: true,
    content: [
      h('p', {class: 'badges'}, answer(push), push.http_status ? badge('', `HTTP ${push.http_status}`) : null),
      h('section', {class: 'resend'}, h('h4', {}, t('resend')), h('p', {class: 'actions'}, ways.map(([way, how]) =>
        button(t(`resend.${way}`), `resend-${way}`, async () => {
          sayPushed(await api('POST', `pushes/${encodeURIComponent(id)}/resend`, how));
        })))),
      facts([
        [t('push.id'), h('code', {}, push.id)], [t('time'), `${whenFull(push.time)} GMT+8`],
        [t('order'), push.order_id && h('code', {}, push.order_id)], [t('method'), h('code', {}, push.method)],
        [t('content_type'), h('code', {}, push.content_type ?? '')], [t('error'), push.error],
      ], t('push.detail')),
      code(t('message'), push.message ?? push.body, pretty(push.message ?? push.body ?? '')),
      push.message ? code(t('body'), push.body) : '',
      code(t('query'), push.query, (push.query ?? '').replaceAll('&', '\n&')),
      code(t('answer'), push.answer, pretty(push.answer ?? '')),
    ],
  };
}

// An event to begin with, about the newest renewal that there is, or else with the ids of the guide's samples. Events of
// acceptance have the ids of the renewal in front, the others those of the main order.
function template(type) {
  const renewal = store.state?.renewals.at(-1), order = store.state?.orders[0];
  const renewalId = renewal?.renewal_order_id ?? '3187983531024266527';
  const main = {orderId: renewal?.order_id ?? order?.order_id ?? '3175520762897901122', outOrderId: renewal?.out_order_id ?? order?.out_order_id ?? 'FZ1111111'};
  const own = {orderId: renewalId, outOrderId: renewal?.renewal_out_order_id ?? 'R1'};
  const refund = {refundType: 5, amount: '12.50', reason: '取消违约金退款', payTradeNo: '2023020622001124931439876001', exts: '{}'};
  const [ids, data] = {
    103: [own, {renewalOrderId: renewalId}], 104: [own, {renewalOrderId: renewalId, errorCode: '71008', errorMessage: '商家接单失败'}],
    141: [main, refund], 142: [main, {renewalOrderId: renewalId, ...refund}],
  }[type];
  const text = JSON.stringify({...ids, channelId: order?.channel_id ?? '80001', eventType: type, eventData: data});
  // The id in the data is a number, and longer than those of JavaScript.
  return pretty(text.replace(/("renewalOrderId":)"(\d+)"/, '$1$2'));
}

$('raw').addEventListener('toggle', () => {
  if ($('raw').open && $('raw-event').value === '') $('raw-event').value = template(103);
});
$('raw-template').addEventListener('change', () => { $('raw-event').value = template(Number($('raw-template').value)); });
$('raw-form').addEventListener('submit', (event) => {
  event.preventDefault();
  act(event.submitter ?? $('raw-form'), async () => {
    const text = $('raw-event').value, {elements} = $('raw-form');
    try {
      JSON.parse(text);
    } catch (error) {
      throw new Error(t('raw.json', {message: error.message}));
    }
    const how = {times: Number(elements.times.value) || 1};
    if (elements.late.checked) how.late_seconds = late;
    for (const name of ['bad_signature', 'unsigned', 'form', 'gbk']) if (elements[name].checked) how[name] = true;
    // The text goes as it was written: numbers in it may be longer than JavaScript's.
    sayPushed(await api('POST', 'events', `{"event":${text},${JSON.stringify(how).slice(1)}`));
  });
});
