// Scenario, clock, the address for events, and the way back to the start.
import {$, h, t, act, ask, frame, known, onRender, say, whenFull} from './dom.js';
import {api, on, refreshNow, store} from './api.js';

const radios = new Map();

function renderScenarios() {
  for (const name of store.state.scenarios) {
    if (radios.has(name)) continue;
    const input = h('input', {type: 'radio', name: 'scenario', value: name, 'data-action': `scenario-${name}`});
    input.addEventListener('change', () => act(input, async () => {
      await api('PUT', 'scenario', {scenario: name});
      await refreshNow();
    }));
    const title = h('strong'), what = h('span', {class: 'muted'});
    radios.set(name, {input, title, what});
    $('scenarios').append(h('label', {class: 'radio'}, input, h('span', {}, title, what)));
  }
  for (const [name, {input, title, what}] of radios) {
    title.textContent = known('scenario', name);
    what.textContent = known('scenario', `${name}.what`);
    input.checked = store.state.scenario === name;
  }
}

// The clock runs on between two answers of the sandbox. Its digits are those of GMT+8: read and written as UTC they
// meet no other zone.
let clock = null; // {at: digits, since: performance.now()}
const digits = (ms) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
export const now = () => clock ? digits(clock.at + (store.state.clock.stopped ? 0 : performance.now() - clock.since)) : '';

function tick() {
  const text = now();
  if ($('clock-now').textContent !== text) $('clock-now').textContent = text;
  const fact = $('fact-clock');
  if (fact && fact.textContent !== text) fact.textContent = text;
}

let aimed = ''; // the address as it was last told

function render() {
  const s = store.state;
  if (!s) return;
  clock = {at: Date.parse(`${s.clock.now.slice(0, 23)}Z`), since: performance.now()};
  renderScenarios();
  $('clock-mode').textContent = t(`clock.mode.${s.clock.stopped ? 'stopped' : s.clock.real ? 'real' : 'moved'}`);
  $('clock-mode').className = `badge ${s.clock.real ? '' : 'warn'}`;
  $('clock-stop').textContent = t(s.clock.stopped ? 'clock.run' : 'clock.stop');
  if ($('clock-time').value === '') $('clock-time').value = now().slice(0, 16).replace(' ', 'T');
  if ($('push-to').value === aimed) $('push-to').value = s.push_to; // what is being typed stays
  aimed = s.push_to;
  $('facts').replaceChildren(...[
    [t('clock.short'), h('span', {id: 'fact-clock', class: 'num'})],
    [t('renewals'), known('scenario', s.scenario)],
    [t('push_to'), s.push_to || t('nowhere')],
    [t('app_key'), s.app_key],
  ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
  tick();
}

on('state', frame(render));
onRender(render);
setInterval(tick, 500);

const setClock = (control, body) => act(control, async () => {
  await api('PUT', 'clock', body());
  await refreshNow();
});

$('clock-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const {stopped} = store.state.clock;
  setClock(event.submitter ?? $('clock-form'), () => ({now: $('clock-time').value.replace('T', ' '), stopped}));
});
$('clock-advance').addEventListener('click', () => {
  if (!$('clock-hours').reportValidity()) return;
  setClock($('clock-advance'), () => ({advance_seconds: Number($('clock-hours').value) * 3600, stopped: store.state.clock.stopped}));
});
$('clock-stop').addEventListener('click', () =>
  setClock($('clock-stop'), () => store.state.clock.stopped ? {now: whenFull(store.state.clock.now)} : {stopped: true}));
$('clock-real').addEventListener('click', () => setClock($('clock-real'), () => ({})));

$('push-to-form').addEventListener('submit', (event) => {
  event.preventDefault();
  act(event.submitter ?? $('push-to-form'), async () => {
    const {push_to: url} = await api('PUT', 'push-to', {push_to: $('push-to').value.trim()});
    await refreshNow();
    say(t('push_to.saved', {url: url || t('nowhere')}));
  });
});
$('scenario-form').addEventListener('submit', (event) => event.preventDefault());

$('reset').addEventListener('click', () => act($('reset'), async () => {
  if (!await ask({title: t('reset.title'), text: t('reset.lead'), confirm: t('reset'), danger: true})) return;
  await api('POST', 'reset');
  say(t('reset.done'));
}));
