// The tables of the page, each from one part of a snapshot.
import {spark} from './charts.js';
import {el, find, keyed, say} from './dom.js';
import {count, fullTime, latency, relative, share, time} from './format.js';
import {advice, reasonText, whoActs} from './reasons.js';
import {appName, byUrgency, outcome, reasonOf} from './verdict.js';
import {word} from './words.js';

/** What a row's clicks do: `filter(changes)` and `openJob(id)`; set by main.js. */
export const actions = {};

const rangeText = (view) => word(view.range ? `in_${view.range}` : 'in_fixed');

export const stateMark = (state) => el('span', {class: 'state', 'data-state': state}, el('i'), word(`state_${state}`));

const when = (ms, now, fine = true) => el('time', {title: ms ? fullTime(ms) : null, class: 'nowrap'}, time(ms, now, fine));

/** Shows `rows` under a table's head, or a line that says that there are none. */
function table(section, heads, rows, keyOf, make, empty) {
  const place = find('.rows', section);
  if (rows.length === 0) {
    if (find('.empty', place) === null) place.replaceChildren(el('p', {class: 'empty'}));
    say(find('.empty', place), empty);
    return;
  }
  const head = JSON.stringify(heads);
  if (place.dataset.head !== head || find('tbody', place) === null) {
    place.dataset.head = head;
    place.replaceChildren(el('table', {class: 'stack'},
      el('thead', {}, el('tr', {}, heads.map(([text, kind]) => el('th', {class: kind, scope: 'col'}, text)))), el('tbody')));
  }
  keyed(find('tbody', place), rows, keyOf, make);
}

export function showFailures(data, view) {
  const section = find('#failures');
  const rows = find('.rows', section);
  const {ended} = outcome(data.totals);
  if (data.failures.length === 0) {
    rows.replaceChildren(el('p', {class: 'empty'}, word('failures_none', {range: rangeText(view)})));
  } else {
    find('.empty', rows)?.remove();
    const items = [...data.failures].sort(byUrgency).map((row) => ({...row, ended, step: data.step, day: new Date(data.now).toDateString()}));
    keyed(rows, items, (row) => `${row.state} ${row.reason} ${row.errcode ?? ''}`, (row) => failureRow(row, data.now));
  }
  say(find('.count', section), data.more_failures > 0 ? word('more_rows', {count: data.more_failures}) : '');
}

function failureRow(row, now) {
  const fine = row.step < 60_000;
  const who = whoActs(row.reason);
  const apps = row.apps.map(([app, number]) => `${appName(app)} ${count(number)}`).join(' · ') + (row.more_apps ? ` · +${row.more_apps}` : '');
  return el('details', {class: 'fail', 'data-state': row.state},
    el('summary', {},
      el('div', {class: 'what'}, el('div', {}, el('b', {}, reasonText(row.reason)), ' ', row.errcode ? el('span', {class: 'mono quiet'}, row.errcode) : null, ' ',
        el('span', {class: 'tag', 'data-who': who}, word(`who_${who}`)),
        el('div', {class: 'sub'}, stateMark(row.state), ' · ', apps))),
      el('div', {class: 'n'}, count(row.count), el('small', {}, share(row.count, row.ended))),
      el('div', {class: 'spark-cell'}, spark(row.over_time, row.state)),
      el('div', {class: 'since'}, word('first_seen'), ' ', el('b', {}, when(row.first, now, fine)), el('br'), ' ', word('last_seen'), ' ', when(row.last, now, fine))),
    el('div', {class: 'more'},
      advice(row.reason) ? el('p', {class: 'advice'}, advice(row.reason), ' ', el('span', {class: 'mono quiet'}, row.reason)) : el('p', {class: 'mono quiet'}, row.reason),
      row.examples.length === 0 ? el('p', {class: 'quiet'}, word('no_examples')) : el('div', {},
        el('h3', {class: 'hidden'}, word('examples')),
        el('table', {class: 'stack'}, el('tbody', {}, row.examples.map((each) => recordRow(each, now, false))))),
      el('p', {}, el('button', {type: 'button', class: 'link', onclick: () => actions.filter({state: row.state, ...(row.apps.length === 1 ? {app: row.apps[0][0] ?? ''} : {})})}, word('only_these')))));
}

export function showWaiting(data) {
  const section = find('#waiting');
  const heads = [[word('head_app')], [word('head_kind')], [word('head_reason')], [word('head_count'), 'num'], [word('head_next')], [word('head_last')], [word('head_since')]];
  const day = new Date(data.now).toDateString();
  table(section, heads, data.waiting.map((row) => ({...row, day, minute: Math.floor(data.now / 10_000)})), (row) => `${row.app} ${row.kind} ${row.reason}`,
    (row) => el('tr', {},
      el('td', {}, el('b', {}, appName(row.app))), el('td', {class: 'quiet'}, appName(row.kind)),
      el('td', {class: 'wide'}, reasonText(row.reason), ' ', el('span', {class: 'quiet mono'}, row.reason)),
      el('td', {class: 'num', 'data-head': word('head_count')}, count(row.count), row.overdue ? el('div', {class: 'late'}, word('overdue', {count: count(row.overdue)})) : null),
      el('td', {'data-head': word('head_next')}, when(row.next, data.now), ' ', el('span', {class: 'quiet'}, relative(row.next, data.now))),
      el('td', {'data-head': word('head_last')}, when(row.last, data.now), ' ', el('span', {class: 'quiet'}, relative(row.last, data.now))),
      el('td', {'data-head': word('head_since')}, when(row.since, data.now))),
    word('waiting_none'));
  say(find('.count', section), data.waiting_incomplete ? word('waiting_incomplete') : '');
}

export function showGroups(data, view) {
  const heads = [[word('head_app')], [word('head_kind')], [word('head_sent'), 'num'], [word('head_lost'), 'num'], [word('head_share'), 'num'], [word('head_deferred'), 'num'], [word('head_half'), 'num'], [word('head_most'), 'num']];
  table(find('#groups'), heads, data.groups, (row) => `${row.app} ${row.kind}`, (row) => {
    const {sent, lost, ended} = outcome(row.counts);
    const part = ended ? sent / ended : 1;
    const bar = el('i');
    bar.style.width = `${100 * part}%`;
    return el('tr', {},
      el('td', {}, el('button', {type: 'button', class: 'link', onclick: () => actions.filter({app: row.app ?? ''})}, el('b', {}, appName(row.app)))),
      el('td', {}, el('button', {type: 'button', class: 'link', onclick: () => actions.filter({app: row.app ?? '', kind: row.kind ?? ''})}, appName(row.kind))),
      el('td', {class: 'num', 'data-head': word('head_sent')}, count(sent)),
      el('td', {class: 'num', 'data-head': word('head_lost')}, lost ? el('b', {}, count(lost)) : '0'),
      el('td', {class: 'num', 'data-head': word('head_share')}, share(sent, ended), ended ? el('span', {class: 'meter' + (part < 0.95 ? ' low' : '')}, bar) : null),
      el('td', {class: 'num', 'data-head': word('head_deferred')}, count(row.counts.deferred ?? 0)),
      el('td', {class: 'num', 'data-head': word('head_half')}, latency(row.latency.p50)),
      el('td', {class: 'num', 'data-head': word('head_most')}, latency(row.latency.p99)));
  }, word('groups_none', {range: rangeText(view)}));
}

export function showRecent(data, view) {
  const heads = [[word('head_time')], [word('head_state')], [word('head_job')], [word('head_app')], [word('head_to')], [word('head_why')], [word('head_latency'), 'num']];
  const rows = data.recent.slice(0, 20);
  const seen = new Map();
  const keyOf = (row) => {
    const name = `${row.at} ${row.source} ${row.to ?? ''} ${row.state}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return `${name} ${seen.get(name)}`;
  };
  const empty = word('recent_none', {range: rangeText(view)}) + (view.list === 'all' || view.state ? '' : ` ${word('recent_none_hint')}`);
  table(find('#recent'), heads, rows, keyOf, (row) => recordRow(row, data.now, true), empty);
}

/** A status as a row. */
function recordRow(row, now, whole) {
  const why = row.state === 'sent' || row.state === 'simulated' ? '' : [
    whole && row.reason ? reasonOf(row) : row.errmsg ?? '',
    row.retry ? ` · ${word('until', {time: time(row.retry, now), span: relative(row.retry, now)})}` : ''].join('');
  return el('tr', {},
    el('td', {class: 'nowrap'}, when(row.at, now)),
    whole ? el('td', {}, stateMark(row.state)) : null,
    el('td', {class: 'wide'}, row.id ? el('button', {type: 'button', class: 'link mono', onclick: () => actions.openJob(row.id)}, row.id) : el('span', {class: 'mono quiet'}, row.source)),
    el('td', {class: 'what-app'}, appName(row.app), row.kind ? el('small', {class: 'quiet'}, row.kind) : null),
    el('td', {class: 'mono quiet nowrap'}, row.to ?? ''),
    el('td', {class: 'wide'}, why, row.errmsg && whole && row.state !== 'sent' ? el('small', {class: 'quiet'}, row.errmsg) : null),
    whole ? el('td', {class: 'num'}, row.latency === undefined ? '' : latency(row.latency)) : null);
}

export function showFigures(data) {
  const {sent, lost, ended} = outcome(data.totals);
  const toAct = data.failures.filter((row) => whoActs(row.reason) !== 'recipient').reduce((total, row) => total + row.count, 0);
  const waiting = data.waiting.reduce((total, row) => total + row.count, 0);
  const next = Math.min(...data.waiting.map((row) => row.next));
  const tiles = [
    ['sent', 'figure_sent', count(sent), word('rate_now', {rate: rateNow(data)})],
    ['share', 'figure_share', share(sent, ended), word('of_ended', {count: count(ended)})],
    ['lost', 'figure_lost', count(lost), word(toAct ? 'to_act_on' : 'nothing_to_act_on', {count: count(toAct)}), toAct ? 'bad' : ''],
    ['waiting', 'figure_waiting', count(waiting), waiting ? word('next_at', {time: time(next, data.now, false)}) : word('nobody_waits')],
    ['p50', 'figure_p50', latency(data.latency.p50), word('p90', {latency: latency(data.latency.p90)})],
    ['p99', 'figure_p99', latency(data.latency.p99), word('from_enqueue')],
  ];
  const place = find('#figures');
  if (place.children.length === 0)
    place.append(...tiles.map(([id]) => el('div', {id: `figure-${id}`}, el('dt'), el('dd', {}, el('span'), el('small')))));
  for (const [id, name, value, small, level] of tiles) {
    const tile = find(`#figure-${id}`);
    tile.className = level ?? '';
    say(find('dt', tile), word(name));
    say(find('dd > span', tile), value);
    say(find('small', tile), small);
  }
}

/** Sent per second over the last ten seconds or so, the column that is still filling left out. */
function rateNow(data) {
  const columns = data.p50.length - (data.now < data.to ? 1 : 0);
  const few = Math.max(1, Math.min(columns, Math.round(10_000 / data.step)));
  let sum = 0;
  for (const state of ['sent', 'simulated'])
    for (const value of (data.over_time[state] ?? []).slice(columns - few, columns)) sum += value;
  const value = sum / few / (data.step / 1000);
  return new Intl.NumberFormat(document.documentElement.lang, {maximumFractionDigits: value < 10 ? 1 : 0}).format(value);
}

export function showWorkers(data) {
  const {workers} = data;
  const text = workers.length === 0 ? word('workers_none') : workers.length === 1 ? word('workers_one') : word('workers', {count: workers.length});
  say(find('#workers summary'), text);
  keyed(find('#workers ul'), workers.map((row) => ({...row, tens: Math.floor(data.now / 10_000)})), (row) => row.name, (row) => el('li', {}, word('worker_row', {name: row.name, count: count(row.count), ago: relative(row.last, data.now)})));
}
