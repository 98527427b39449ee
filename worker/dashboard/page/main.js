// Joins the parts: the address says what is looked at, the feed brings snapshots of it, the page shows them.
import {queryOf, ranges, readAddress, writeAddress} from './address.js';
import {Charts} from './charts.js';
import {el, find, keyed, say} from './dom.js';
import {Feed} from './feed.js';
import {count, share, span, time} from './format.js';
import {JobDialog} from './job.js';
import {actions, showFailures, showFigures, showGroups, showRecent, showWaiting, showWorkers} from './tables.js';
import {appName, judge} from './verdict.js';
import {chooseLanguage, language, translate, word} from './words.js';

const states = ['sent', 'failed', 'rejected', 'expired', 'deferred', 'simulated', 'delivered', 'undelivered', 'event'];

let view = readAddress();
let data = null;
let paused = false;
let lost = false;
chooseLanguage(view.lang);

const charts = new Charts((from, to) => change(from === undefined ? {range: '15m', from: null, to: null} : {range: null, from: Math.floor(from), to: Math.ceil(to)}));
const job = new JobDialog(() => change({job: null}));
const feed = new Feed({
  snapshot(fresh) {
    lost = false;
    if (!paused) data = fresh;
    show();
  },
  lost() {
    lost = true;
    show();
  },
});

/** Looks at something else. */
function change(changes, remember = true) {
  const before = queryOf(view);
  view = {...view, ...changes};
  writeAddress(view, remember);
  if (queryOf(view) !== before) follow();
  if ('lang' in changes) speak();
  show();
}

function follow() {
  document.body.classList.add('changing');
  feed.follow(queryOf(view));
}

function speak() {
  chooseLanguage(view.lang);
  translate();
  say(find('#language'), word('other_language'));
  find('#language').lang = language() === 'zh' ? 'en' : 'zh-CN';
  find('.keys').replaceChildren(...[
    [['/'], 'key_lookup'], [['1', '…', '7'], 'key_range'], [['n'], 'key_now'], [['p'], 'key_pause'], [['a', 'k', 's'], 'key_filters'],
    [['Esc'], 'key_clear'], [['d'], 'key_theme'], [['l'], 'key_language'], [['?'], 'key_help'],
  ].flatMap(([keys, text]) => [el('dt', {}, keys.map((key) => (key === '…' ? ' … ' : el('kbd', {}, key)))), el('dd', {}, word(text))]));
  if (data) charts.rebuild();
}

function show() {
  showLink();
  showFilters();
  document.body.classList.toggle('stale', lost && data !== null);
  if (!data) {
    say(find('#verdict h1'), word('verdict_wait'));
    showNotice();
    return;
  }
  const verdict = judge(data, view);
  find('#verdict').dataset.level = verdict.level;
  say(find('#verdict .sign'), {good: '✓', warn: '!', bad: '✕', quiet: '–'}[verdict.level]);
  say(find('#verdict h1'), verdict.title);
  keyed(find('#verdict .why'), verdict.lines, (line) => line.text, (line) => el('li', {class: line.trouble ? 'trouble' : null}, line.text));
  document.title = `${{good: '✓', warn: '!', bad: '✕', quiet: '–'}[verdict.level]} wxcourier`;
  showNotice();
  showFigures(data);
  charts.show(data);
  say(find('#chart-note'), word('chart_note', {step: span(data.step)}));
  showFailures(data, view);
  showWaiting(data);
  showGroups(data, view);
  showRecent(data, view);
  showWorkers(data);
  showHistory();
}

function showLink() {
  const [state, text] = paused ? ['paused', word('paused')] : lost ? ['waiting', word('reconnecting')] : !data ? ['waiting', word('connecting')]
    : !data.feed.connected ? ['down', word('kafka_down')] : ['up', `${word('live')} · ${time(data.now, data.now)}`];
  find('#link').dataset.state = state;
  say(find('#link span'), text);
  say(find('#topic'), data ? data.feed.topic : '');
  say(find('#pause'), word(paused ? 'resume' : 'pause'));
  find('#pause').setAttribute('aria-pressed', paused);
}

/** The one thing to know about the figures themselves, if there is one. */
function showNotice() {
  const notice = find('#notice');
  const say_ = (level, text, action = null) => {
    notice.hidden = false;
    notice.dataset.level = level;
    const signature = text + language();
    if (notice.dataset.shown === signature) return;
    notice.dataset.shown = signature;
    notice.replaceChildren(text, ...(action ? [' ', action] : []));
  };
  notice.hidden = true;
  if (!data) return undefined;
  const {feed: source} = data;
  if (lost) return say_('bad', word('stale', {time: time(data.now)}));
  if (!source.connected) return say_('bad', word('kafka_trouble', {why: source.trouble}));
  if (source.behind > 20_000 && !paused) return say_('warn', word('behind', {count: count(source.behind)}));
  if (source.reading && source.total > 0 && source.done < source.total)
    return say_('info', word('reading', {share: share(source.done, source.total), done: count(source.done), total: count(source.total)}));
  if (source.history_from && !source.reading && view.range !== 'all' && data.from < source.history_from - 60_000)
    return say_('info', word('range_partial', {time: time(source.history_from, data.now)}), historyButton());
  if (data.complete_from && data.complete_from > data.from) return say_('info', word('kept_partial', {time: time(data.complete_from, data.now)}));
  if (data.series_overflowed) return say_('info', word('overflow'));
  delete notice.dataset.shown;
  return undefined;
}

function historyButton() {
  return el('button', {type: 'button', class: 'link', onclick: () => fetch('/api/history', {method: 'POST'})}, word('history_read'));
}

function showHistory() {
  const {feed: source} = data;
  const place = find('#history');
  const text = source.history_from ? word('history_since', {time: time(source.history_from, data.now)}) : word('history_all');
  const signature = text + language() + source.reading;
  if (place.dataset.shown !== signature) {
    place.dataset.shown = signature;
    place.replaceChildren(text, ...(source.history_from && !source.reading ? [' ', historyButton()] : []));
  }
  say(find('#counted'), word('counted', {read: count(data.read), topic: source.topic, version: source.version,
    unreadable: data.unreadable ? word('unreadable', {count: count(data.unreadable)}) : ''}));
}

function showFilters() {
  options(find('#app'), view.app, data?.apps ?? [], appName);
  options(find('#kind'), view.kind, data?.kinds ?? [], appName);
  options(find('#state'), view.state, states, (state) => word(`state_${state}`));
  find('#list-all').checked = view.list === 'all';
  const buttons = [...ranges, 'now'];
  const range = find('#range');
  if (range.children.length === 0) {
    range.append(...buttons.map((each) => el('button', {type: 'button', 'data-range': each,
      onclick: () => change(each === 'now' ? {range: null, from: Date.now(), to: null} : {range: each, from: null, to: null})})));
  }
  for (const button of range.children) {
    const each = button.dataset.range;
    say(button, each === 'all' ? word('range_all') : each === 'now' ? word('range_now') : each);
    button.title = word(`title_${each}`);
    button.setAttribute('aria-pressed', each === 'now' ? view.from !== null && view.to === null : view.range === each);
  }
  chips();
}

function options(select, value, choices, name) {
  const all = value !== null && !choices.includes(value) ? [...choices, value] : choices;
  const signature = JSON.stringify(all) + language();
  if (select.dataset.shown !== signature && select !== document.activeElement) {
    select.dataset.shown = signature;
    select.replaceChildren(el('option', {value: '*all'}, word('all')), ...all.map((each) => el('option', {value: `=${each}`}, each === '' ? word('none') : name(each))));
  }
  const wanted = value === null ? '*all' : `=${value}`;
  if (select.value !== wanted && select !== document.activeElement) select.value = wanted;
  select.classList.toggle('set', value !== null);
}

function chips() {
  const items = [];
  if (view.from !== null)
    items.push({text: view.to === null ? word('since_time', {time: time(view.from)}) : `${time(view.from)} – ${time(view.to)}`, changes: {range: '15m', from: null, to: null}});
  if (view.app !== null || view.kind !== null || view.state !== null)
    items.push({text: word('clear'), changes: {app: null, kind: null, state: null}});
  keyed(find('#chips'), items, (each) => each.text, (each) => el('button', {type: 'button', onclick: () => change(each.changes)}, `${each.text} ✕`));
}

function toggleTheme() {
  const dark = document.documentElement.dataset.theme === 'dark' || (!document.documentElement.dataset.theme && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'light' : 'dark';
  find('#theme').setAttribute('aria-pressed', !dark);
  keep('theme', document.documentElement.dataset.theme);
  charts.rebuild();
}

function toggleLanguage() {
  const next = language() === 'zh' ? 'en' : 'zh';
  keep('language', next);
  change({lang: next}, false);
}

function keep(name, value) {
  try { localStorage.setItem(`wxcourier.${name}`, value); } catch { /* storage may be off */ }
}

function togglePause() {
  paused = !paused;
  show();
}

function openJob(id) {
  change({job: id});
  job.open(id);
}

actions.filter = (changes) => { change(changes); scrollTo({top: 0}); };
actions.openJob = openJob;

for (const name of ['app', 'kind', 'state']) {
  const select = find(`#${name}`);
  select.addEventListener('change', () => { const {value} = select; select.blur(); change({[name]: value === '*all' ? null : value.slice(1)}); });
}
find('#list-all').addEventListener('change', (event) => change({list: event.target.checked ? 'all' : null}, false));
find('#pause').addEventListener('click', togglePause);
find('#theme').addEventListener('click', toggleTheme);
find('#language').addEventListener('click', toggleLanguage);
find('#help').addEventListener('click', () => find('#keys').showModal());
find('#lookup').addEventListener('submit', (event) => {
  event.preventDefault();
  const id = find('#job-id').value.trim();
  if (id) openJob(id);
});
for (const dialog of document.querySelectorAll('dialog')) {
  find('.close', dialog).addEventListener('click', () => dialog.close());
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
}
addEventListener('popstate', () => {
  view = readAddress();
  speak();
  if (view.job) job.open(view.job);
  else job.close();
  follow();
  show();
});
addEventListener('scroll', () => find('.filters').classList.toggle('stuck', scrollY > 60), {passive: true});

const shortcuts = {
  '/': () => { find('#job-id').focus(); find('#job-id').select(); },
  n: () => change({range: null, from: Date.now(), to: null}),
  p: togglePause, d: toggleTheme, l: toggleLanguage,
  a: () => find('#app').focus(), k: () => find('#kind').focus(), s: () => find('#state').focus(),
  '?': () => find('#keys').showModal(),
  Escape: () => change({app: null, kind: null, state: null, range: view.range ?? '15m', from: null, to: null}),
};
ranges.forEach((range, index) => { shortcuts[index + 1] = () => change({range, from: null, to: null}); });
addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
  if (event.target.matches('input[type=search], select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const act = shortcuts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

speak();
show();
follow();
if (view.job) job.open(view.job);
// The clock of the page goes on when nothing comes.
setInterval(() => lost && show(), 1000);
