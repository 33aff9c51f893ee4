// Elements, texts in two languages, and what tells the user how an action went.
// Whatever comes from the network reaches the page as a text node.
import {texts} from './texts.js';

export const $ = (id) => document.getElementById(id);

// h makes an element. Properties that begin with "on" are listeners, the others attributes; null leaves one out.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

const kept = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* a browser that keeps nothing */ } },
};

let language = kept.get('language') ?? (navigator.languages?.[0] ?? navigator.language ?? 'en');
language = language.toLowerCase().startsWith('zh') ? 'zh' : 'en';

// t is a text of the page, with {names} filled in.
export function t(key, values = {}) {
  const text = texts[language][key];
  if (text === undefined) {
    console.error(`no text ${key}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? '');
}

// known is a text for a word of the control API, which may have more of them than this page.
export const known = (group, word) => texts[language][`${group}.${word}`] ?? String(word);

export const isChinese = () => language === 'zh';

const renders = [];

// onRender has a function called now and whenever the language changes.
export function onRender(render) {
  renders.push(render);
}

export function renderAll() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.title = t('title');
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of document.querySelectorAll('[data-t-label]')) e.setAttribute('aria-label', t(e.dataset.tLabel));
  for (const e of document.querySelectorAll('[data-t-placeholder]')) e.placeholder = t(e.dataset.tPlaceholder);
  for (const render of renders) render();
}

export function switchLanguage() {
  language = language === 'zh' ? 'en' : 'zh';
  kept.set('language', language);
  renderAll();
}

export const isDark = () => {
  const {theme} = document.documentElement.dataset;
  return theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
};

export function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? 'light' : 'dark';
  kept.set('theme', document.documentElement.dataset.theme);
}

let hide;

// say tells how an action went, to the eye and to a screen reader.
export function say(text, bad = false) {
  clearTimeout(hide);
  $('toast-good').textContent = bad ? '' : text;
  $('toast-bad').textContent = bad ? text : '';
  $('toast-close').hidden = text === '';
  if (text !== '' && !bad) hide = setTimeout(() => say(''), 8000);
}

// act runs what a control is for, once at a time, and says what went wrong.
export async function act(control, run) {
  if (control.getAttribute('aria-busy') === 'true') return;
  control.setAttribute('aria-busy', 'true');
  try {
    await run();
  } catch (error) {
    say(error.field ? t('error.field', {field: error.field, message: error.message}) : error.message, true);
  } finally {
    control.removeAttribute('aria-busy');
  }
}

// button makes a button. Its action is its name in tests.
export function button(text, action, run, properties = {}) {
  const b = h('button', {type: 'button', 'data-action': action, ...properties}, text);
  b.addEventListener('click', () => act(b, run));
  return b;
}

export const badge = (kind, text) => h('span', {class: `badge ${kind}`}, text);

// facts is a list of names and values; a value that is missing leaves its line out.
export const facts = (pairs, label) => h('dl', {class: 'pairs', 'aria-label': label}, pairs.flatMap(([name, value]) =>
  value === '' || value === undefined || value === null ? [] : h('div', {}, h('dt', {}, name), h('dd', {}, value))));

export const table = (label, heads, rows) => h('div', {class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label},
  h('table', {}, h('thead', {}, h('tr', {}, heads.map((head) => h('th', {scope: 'col'}, head)))),
    h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell) => h('td', {}, cell)))))));

// code shows a text as it is, with a button that copies it.
export function code(title, text, shown = text) {
  if (!text) return '';
  return h('section', {class: 'code'},
    h('div', {class: 'heading'}, h('h4', {}, title),
      button(t('copy'), 'copy', async () => {
        await navigator.clipboard.writeText(text);
        say(t('copied', {what: title}));
      }, {class: 'quiet', 'aria-label': t('copy.what', {what: title})})),
    h('pre', {tabindex: '0', role: 'group', 'aria-label': title}, shown));
}

// pretty indents JSON. It moves characters and reads no number: ids are longer than those of JavaScript.
export function pretty(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let out = '', depth = 0;
  const line = () => '\n' + '  '.repeat(depth);
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[^\s"[\]{},:]+|[[\]{},:]/g)) {
    if (token === '}' || token === ']') {
      depth--;
      out = /[[{]\s*$/.test(out) ? out.trimEnd() + token : out + line() + token;
    } else if (token === '{' || token === '[') {
      depth++;
      out += token + line();
    } else {
      out += token === ',' ? token + line() : token === ':' ? ': ' : token;
    }
  }
  return out;
}

// when is the time of day of a stamp of the control API, in GMT+8 whatever the zone of this browser, and whenFull with
// its date.
export const when = (stamp) => (stamp ?? '').slice(11, 23);
export const whenFull = (stamp) => (stamp ?? '').slice(0, 19).replace('T', ' ');

// frame runs a function with the next frame, once however often it is asked for.
export function frame(run) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      run();
    });
  };
}

// throttle runs a function at once and then no more often than once in so many milliseconds, never twice at a time.
export function throttle(wait, run) {
  let busy = false, again = false;
  return async function go() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      await run();
    } catch {
      // The stream says that the sandbox is gone, and reloads when it is back.
    }
    setTimeout(() => {
      busy = false;
      if (again) {
        again = false;
        go();
      }
    }, wait);
  };
}

// ask opens a dialog with a form, and resolves to what was entered, or to null.
export function ask({title, text, fields = [], confirm, danger = false}) {
  const dialog = $('dialog');
  return new Promise((resolve) => {
    const form = h('form', {class: 'form'},
      h('h2', {id: 'dialog-title'}, title), text ? h('p', {}, text) : null,
      fields.map(({label, input}) => h('label', {class: 'field'}, h('span', {}, label), input)),
      h('p', {class: 'actions'},
        h('button', {type: 'button', 'data-action': 'dialog-cancel', onclick: () => dialog.close()}, t('cancel')),
        h('button', {class: danger ? 'danger' : 'primary', 'data-action': 'dialog-confirm'}, confirm)));
    let entered = null;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      entered = Object.fromEntries(new FormData(form));
      dialog.close();
    });
    dialog.addEventListener('close', () => resolve(entered), {once: true});
    dialog.replaceChildren(form);
    dialog.showModal();
  });
}
