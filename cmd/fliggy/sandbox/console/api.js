// The control API, and what the console knows of the sandbox.
import {throttle} from './dom.js';

const prefix = 'control/v1/';
export const most = 200; // rows of a list

export async function api(method, path, body) {
  const request = {method};
  if (method === 'POST' || method === 'PUT') {
    request.headers = {'Content-Type': 'application/json'};
    request.body = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  }
  const response = await fetch(prefix + path, request);
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.message), {field: answer.error.field});
  return answer;
}

export const store = {
  state: null,
  calls: new Map(), // by id, oldest first
  pushes: new Map(),
  live: 'connecting', // or on, or off
};

const listeners = {calls: [], pushes: [], state: [], live: []};

// on has a function called when something in the store changed.
export const on = (what, listener) => listeners[what].push(listener);
const tell = (what) => listeners[what].forEach((listener) => listener());

// Ids of calls are of one length and grow; those of pushes end in a number.
const before = (a, b) => a.length - b.length || (a < b ? -1 : 1);

// merge takes in views in any order. An answered call is never replaced by what it was before.
function merge(list, views) {
  let sorted = true, last = [...list.keys()].at(-1) ?? '';
  for (const view of views) {
    const old = list.get(view.id);
    if (old?.done && !view.done) continue;
    if (!old && last !== '' && before(view.id, last) < 0) sorted = false;
    if (!old) last = view.id;
    list.set(view.id, view);
  }
  if (!sorted) {
    const all = [...list.values()].sort((a, b) => before(a.id, b.id));
    list.clear();
    for (const view of all) list.set(view.id, view);
  }
  for (const id of list.keys()) {
    if (list.size <= most) break;
    list.delete(id);
  }
}

let asked = 0;

// refreshNow asks for the state. An answer that was overtaken by another one is left out.
export async function refreshNow() {
  const mine = ++asked;
  const state = await api('GET', 'state');
  if (mine < asked) return;
  store.state = state;
  tell('state');
}

// refresh does it soon, and not more often than twice a second.
export const refresh = throttle(500, refreshNow);

const reload = throttle(1000, async () => {
  const epoch = current;
  const [{calls}, {pushes}] = await Promise.all([api('GET', `calls?limit=${most}`), api('GET', `pushes?limit=${most}`)]);
  if (epoch !== current) return;
  merge(store.calls, calls);
  merge(store.pushes, pushes);
  tell('calls');
  tell('pushes');
});

function apply({activity, skipped}) {
  const calls = activity.flatMap(({call}) => call ?? []);
  const pushes = activity.flatMap(({push}) => push?.id ? push : []);
  if (calls.length) {
    merge(store.calls, calls);
    tell('calls');
  }
  if (pushes.length) {
    merge(store.pushes, pushes);
    tell('pushes');
  }
  if (skipped) reload();
  refresh();
}

let current; // epoch

// begin forgets what was before a reset, or another sandbox at the same address.
function begin(epoch) {
  current = epoch;
  store.calls.clear();
  store.pushes.clear();
  tell('calls');
  tell('pushes');
  reload();
}

export function connect() {
  const stream = new EventSource(prefix + 'stream');
  const live = (state) => {
    store.live = state;
    tell('live');
  };
  stream.addEventListener('open', () => live('on'));
  stream.addEventListener('settings', ({data}) => {
    const {epoch} = JSON.parse(data);
    if (current !== undefined && epoch !== current) { // the numbers of another log: begin without Last-Event-ID
      begin(epoch);
      stream.close();
      connect();
      return;
    }
    if (epoch !== current) begin(epoch);
    refresh();
  });
  stream.addEventListener('activity', ({data}) => apply(JSON.parse(data)));
  stream.addEventListener('error', () => {
    live('off');
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
  });
}
