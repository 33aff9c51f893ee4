// The console of the sandbox. It stands on the control API and has no other source.
import {$, t, onRender, renderAll, say, switchLanguage, switchTheme, isDark} from './dom.js';
import {connect, on, refresh, store} from './api.js';
import {startTabs} from './tabs.js';
import './calls.js';
import './pushes.js';
import './orders.js';
import './faults.js';
import './settings.js';
import './merchant.js';
import './bills.js';

function renderLive() {
  $('live').dataset.live = store.live;
  $('live').textContent = t(`live.${store.live}`);
}

function renderTheme() {
  $('theme').textContent = isDark() ? '☀' : '☾';
}

on('live', renderLive);
onRender(() => {
  renderLive();
  renderTheme();
  $('language').textContent = t('language');
  $('language').setAttribute('aria-label', t('language.label'));
});
$('language').addEventListener('click', switchLanguage);
$('theme').addEventListener('click', () => {
  switchTheme();
  renderTheme();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', renderTheme);
$('toast-close').addEventListener('click', () => say(''));

startTabs();
renderAll();
connect();
// A fault that ends with time tells nobody.
setInterval(() => {
  if (!document.hidden && store.live === 'on') refresh();
}, 5000);
