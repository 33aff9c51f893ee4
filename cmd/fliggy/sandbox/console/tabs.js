// The sections of the page as tabs: arrow keys, Home and End move between them, the address keeps the one that is open.
import {$, h, onRender, t} from './dom.js';
import {on, store} from './api.js';

const names = ['calls', 'pushes', 'orders', 'faults', 'settings', 'merchant', 'bills', 'callbacks'];
const wide = matchMedia('(min-width: 900px)');
const list = $('tabs');
const tabs = new Map();
let shown = 'calls';
const openers = {};

// onTab has a function called when a section is opened.
export const onTab = (name, open) => { openers[name] = open; };
export const isShown = (name) => shown === name;

export function showTab(name, focus = false) {
  if (!names.includes(name)) return;
  if (shown !== name) scrollTo(0, 0);
  shown = name;
  for (const [other, tab] of tabs) {
    tab.setAttribute('aria-selected', String(other === name));
    tab.tabIndex = other === name ? 0 : -1;
    $(`panel-${other}`).hidden = other !== name;
  }
  history.replaceState(null, '', name === 'calls' ? location.pathname : `#${name}`);
  if (focus) tabs.get(name).focus();
  tabs.get(name).scrollIntoView({block: 'nearest', inline: 'nearest'});
  openers[name]?.();
}

for (const name of names) {
  const tab = h('button', {type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `panel-${name}`, 'data-action': `tab-${name}`,
    onclick: () => showTab(name)}, h('span'), h('span', {class: 'count'}));
  tabs.set(name, tab);
  list.append(tab);
}

list.addEventListener('keydown', (event) => {
  const at = names.indexOf(shown), last = names.length - 1;
  const to = {
    ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  showTab(names[(to + names.length) % names.length], true);
});

const orientation = () => list.setAttribute('aria-orientation', wide.matches ? 'vertical' : 'horizontal');
wide.addEventListener('change', orientation);
orientation();

function render() {
  const s = store.state;
  const counts = s ? {
    orders: s.renewal_count, faults: s.faults.length, bills: s.bills, callbacks: s.callbacks,
  } : {};
  for (const [name, tab] of tabs) {
    tab.firstChild.textContent = name === 'orders' ? t('tab.orders') : t(name);
    tab.lastChild.textContent = counts[name] || '';
    tab.lastChild.classList.toggle('warn', name === 'faults');
  }
}

export function startTabs() {
  on('state', render);
  onRender(render);
  render();
  showTab(location.hash.slice(1) || 'calls');
  addEventListener('hashchange', () => showTab(location.hash.slice(1)));
}
