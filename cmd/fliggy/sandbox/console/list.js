// A list of the newest rows with one of them in detail: calls, and pushes.
import {$, act, button, h, onRender, t} from './dom.js';
import {on} from './api.js';

// list keeps the rows of a list up to date, the newest on top: it changes what has changed and touches nothing else.
export function list({name, kind, views, cells, detail, isBad}) {
  const rows = new Map(); // by id: the element and the view that it shows
  const ul = $(`${name}-rows`), split = $(`${name}-split`), pane = $(`${name}-detail`);
  let selected = null, isFinal = true, loading = 0;

  function make(view) {
    const control = h('button', {type: 'button', class: `row ${kind}-row`, 'data-action': `${kind}-open`, 'data-id': view.id});
    control.addEventListener('click', () => open(view.id, control));
    return h('li', {}, control);
  }

  function fill(row, view) {
    row.view = view;
    const control = row.element.firstChild;
    control.replaceChildren(...cells(view));
    control.classList.toggle('failed', isBad(view));
  }

  const controls = () => [...ul.querySelectorAll('.row')];

  // One row is reached by Tab, the others by the arrow keys.
  function rove() {
    const all = controls();
    const current = rows.get(selected)?.element.firstChild ?? all.find((c) => c === document.activeElement) ?? all[0];
    for (const control of all) control.tabIndex = control === current ? 0 : -1;
  }

  // While a button of the mouse is down the rows stay where they are, or a click would end on another one.
  let isDown = false, waiting = null;
  ul.addEventListener('pointerdown', () => { isDown = true; });
  for (const type of ['pointerup', 'pointercancel']) {
    addEventListener(type, () => setTimeout(() => {
      isDown = false;
      if (waiting) show(waiting);
    }));
  }

  function show(shown) {
    waiting = isDown ? shown : null;
    if (isDown) return;
    const ids = new Set(shown.map(({id}) => id));
    let hadFocus = false;
    for (const [id, row] of rows) {
      if (ids.has(id)) continue;
      hadFocus ||= row.element.contains(document.activeElement);
      row.element.remove();
      rows.delete(id);
    }
    let next = ul.firstChild;
    for (const view of shown.toReversed()) {
      let row = rows.get(view.id);
      if (!row) {
        row = {element: make(view)};
        rows.set(view.id, row);
      }
      if (row.view !== view) fill(row, view);
      if (row.element === next) next = next.nextSibling;
      else ul.insertBefore(row.element, next);
    }
    mark();
    rove();
    if (hadFocus) ul.querySelector('.row')?.focus();
  }

  function mark() {
    for (const [id, {element}] of rows) {
      if (id === selected) element.firstChild.setAttribute('aria-current', 'true');
      else element.firstChild.removeAttribute('aria-current');
    }
  }

  async function load() {
    const mine = ++loading, id = selected;
    const loaded = await detail(id);
    if (mine !== loading || id !== selected) return;
    isFinal = loaded.isFinal;
    pane.replaceChildren(
      h('div', {class: 'heading'}, h('h3', {tabindex: '-1'}, loaded.title),
        button('✕', `${kind}-close`, close, {class: 'quiet icon', 'aria-label': t('close')})),
      ...loaded.content.filter((part) => part !== ''));
    pane.hidden = false;
    split.classList.add('open');
  }

  async function open(id, control) {
    selected = id;
    mark();
    rove();
    await act(control ?? pane, load);
    // Where the detail takes the place of the list, the reader goes along.
    if (ul.offsetParent === null || !control) pane.querySelector('h3')?.focus();
  }

  function close() {
    const row = rows.get(selected);
    selected = null;
    pane.hidden = true;
    pane.replaceChildren();
    split.classList.remove('open');
    mark();
    (row?.element.firstChild ?? ul.querySelector('.row'))?.focus();
  }

  ul.addEventListener('keydown', (event) => {
    const all = controls();
    const at = all.indexOf(document.activeElement);
    const to = {ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1}[event.key];
    if (at < 0 || to === undefined || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  });
  split.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && selected !== null) close();
  });
  // A call in detail that had no answer yet is loaded again when it has.
  on(name, () => {
    if (selected === null) return;
    if (views.size === 0) close();
    else if (!isFinal && views.get(selected)?.done) load().catch(() => {});
  });
  onRender(() => {
    if (selected !== null) load().catch(() => {});
  });

  return {show, open, forget: () => rows.forEach((row) => { row.view = null; })};
}
