// The self-test of a merchant's endpoint, and its report.
import {$, h, t, act, badge, isChinese, known, onRender, say, table} from './dom.js';
import {api, on, store} from './api.js';
import {reasons, rules, scenarios} from './rules.js';

let report = null;
const looks = {passed: 'good', failed: 'bad', warning: 'warn', skipped: ''};

// inChinese is a result with the texts that there are in Chinese. What is expected and what came stays as it is.
const inChinese = (r) => {
  const [title, why] = rules[r.rule] ?? [];
  return {...r, title: title ?? r.title, why: r.why && (why ?? r.why), scenario: scenarios[r.scenario] ?? r.scenario,
    reason: reasons[r.reason] ?? r.reason};
};

const rows = (results) => results.map((result) => isChinese() ? inChinese(result) : result).map((r) => [
  badge(looks[r.status] ?? '', known('result', r.status)),
  h('span', {}, h('strong', {}, r.rule), h('br'), r.title),
  h('span', {}, r.scenario, r.member ? h('br') : '', r.member ? h('code', {}, r.member) : ''),
  r.expected ?? '', r.got ?? '', r.why ?? r.reason ?? '',
]);

// The prices that the merchant quotes, in yuan. Where there is no total, it says why.
const amount = (text) => h('span', {class: 'num amount'}, text ?? '');
const quotes = () => table(t('merchant.quotes'),
  [t('merchant.scenario'), t('period'), t('merchant.standard'), t('merchant.services'), t('total')],
  report.quotes.map((q) => [
    known('guide', q.scenario), h('span', {class: 'num'}, `${q.from.slice(0, 16)} – ${q.to.slice(0, 16)}`), amount(q.standard_price),
    h('span', {}, q.lines.map((l, i) => [i ? h('br') : '', `${l.name || l.code} `, amount(l.amount)]).flat()),
    q.total ? h('strong', {class: 'num amount'}, q.total) : h('span', {}, q.unread),
  ]));

const heads = () => [t('result'), t('rule'), t('where'), t('expected'), t('got'), t('why')];

function render() {
  if (!report) {
    $('merchant-report').replaceChildren();
    return;
  }
  const broken = report.results.filter(({status}) => status !== 'passed');
  const weight = ['failed', 'warning', 'skipped'];
  broken.sort((a, b) => weight.indexOf(a.status) - weight.indexOf(b.status));
  $('merchant-report').replaceChildren(...[
    h('div', {class: `card verdict ${report.ok ? 'good' : 'bad'}`},
      h('h3', {}, report.ok ? t('merchant.ok') : t('merchant.broken', {n: report.failed})), h('p', {}, t('merchant.counts', report)),
      h('p', {class: 'muted'}, h('code', {}, report.endpoint))),
    report.may_be_booked.length ? h('section', {class: 'card'}, h('h3', {}, t('merchant.booked')),
      h('ul', {}, report.may_be_booked.map((text) => h('li', {}, text)))) : null,
    report.quotes.length ? h('section', {class: 'card', id: 'merchant-quotes'}, h('h3', {}, t('merchant.quotes')), quotes()) : null,
    broken.length ? table(t('merchant'), heads(), rows(broken)) : null,
    h('details', {class: 'card'}, h('summary', {'data-action': 'merchant-passed'}, `${t('merchant.passed')} (${report.passed})`),
      table(t('merchant.passed'), heads().slice(0, 3), rows(report.results.filter(({status}) => status === 'passed')).map((r) => r.slice(0, 3)))),
  ].filter(Boolean));
}

onRender(render);

let filled = false;
on('state', () => { // what the sandbox knows, to begin with
  const {orders: [order], merchant} = store.state;
  if (filled || !order) return;
  filled = true;
  $('merchant-url').value ||= merchant;
  $('merchant-order').value ||= order.order_id;
  $('merchant-start').value ||= (order.car_return_time ?? '').slice(0, 16);
});

$('merchant-form').addEventListener('submit', (event) => {
  event.preventDefault();
  act(event.submitter ?? $('merchant-form'), async () => {
    say(t('merchant.running'));
    report = await api('POST', 'merchant/check', {
      url: $('merchant-url').value.trim(), order_id: $('merchant-order').value.trim(),
      start: $('merchant-start').value.replace('T', ' '), submit: $('merchant-submit').checked,
    });
    render();
    say(report.ok ? t('merchant.ok') : t('merchant.broken', {n: report.failed}), !report.ok);
  });
});
