// Settlement bills with their sums, and callbacks.
import {$, h, t, badge, button, code, known, onRender, pretty, table, throttle, whenFull} from './dom.js';
import {api, on, store} from './api.js';
import {cards} from './orders.js';
import {showCall} from './calls.js';
import {isShown, onTab, showTab} from './tabs.js';

let bills = [], callbacks = [];

const biz = (type) => h('span', {}, h('span', {class: 'num'}, String(type)), ' ', known('biz', type));
const amount = (text) => h('span', {class: 'num amount'}, text);
const callButton = (id) => button(t('show.call'), 'show-call', () => { showTab('calls'); return showCall(id); },
  {class: 'quiet', 'aria-label': t('for', {what: t('show.call'), id})});

function billCard(bill) {
  const totals = [h('strong', {}, t('total')), h('span', {class: 'num'}, String(bill.lines.length)), h('strong', {class: 'num amount'}, bill.sum_of_lines)];
  return h('li', {class: 'card'},
    h('div', {class: 'heading'}, h('h3', {}, `${t('bill_no')} ${bill.bill_no}`), h('span', {class: 'muted'}, `${t('batch_no')} ${bill.req_batch_no}`),
      bill.repeat ? badge('warn', t('bills.repeat')) : null, h('span', {class: 'grow'}), h('span', {class: 'muted num'}, whenFull(bill.time)),
      callButton(bill.call_id)),
    bill.sum_of_lines !== '' && Number(bill.sum_of_lines) !== Number(bill.total_amount) ?
      h('p', {class: 'double-note'}, t('bills.differs', {total: bill.total_amount, sum: bill.sum_of_lines})) : '',
    table(`${t('bills.sums')} ${bill.bill_no} ${bill.req_batch_no}`, [t('biz_type'), t('lines'), t('sum')],
      [...bill.sums.map((s) => [biz(s.biz_type), h('span', {class: 'num'}, String(s.lines)), amount(s.sum)]), totals]),
    h('details', {}, h('summary', {'data-action': 'bill-lines'}, t('bills.lines', {n: bill.lines.length})),
      table(`${t('lines')} ${bill.bill_no} ${bill.req_batch_no}`,
        [t('order'), t('your_id'), t('trade_type'), t('biz_type'), t('amount'), t('trade_no'), t('pay_time')],
        bill.lines.slice(0, 200).map((l) => [h('code', {}, l.order_id), h('code', {}, l.out_order_id), known('trade', l.trade_type), biz(l.biz_type),
          amount(l.order_amount), h('code', {}, l.pay_trade_no), h('span', {class: 'num'}, whenFull(l.pay_time))]))));
}

const callbackCard = (c) => h('li', {class: 'card'},
  h('div', {class: 'heading'}, h('h3', {}, `${c.event_type} ${known('callback', c.event_type)}`), h('span', {class: 'grow'}),
    h('span', {class: 'muted num'}, whenFull(c.time)), callButton(c.call_id)),
  code(t('callback'), c.text, pretty(c.text)));

function render() {
  cards($('bills'), bills.toReversed(), {id: (b) => b.call_id + b.req_batch_no, card: billCard, none: t('bills.none')});
  cards($('callbacks'), callbacks.toReversed(), {id: (c) => c.call_id, card: callbackCard, none: t('callbacks.none')});
}

const load = throttle(1000, async () => {
  if (!isShown('bills') && !isShown('callbacks')) return;
  [{bills}, {callbacks}] = await Promise.all([api('GET', 'bills?limit=50'), api('GET', 'callbacks?limit=50')]);
  for (const c of callbacks) c.text = JSON.stringify(c.callback);
  render();
});

let counts = '';
on('state', () => {
  const {bills: b, callbacks: c, epoch} = store.state;
  if (counts === (counts = `${epoch} ${b} ${c}`)) return;
  load();
});
onTab('bills', load);
onTab('callbacks', load);
onRender(render);
