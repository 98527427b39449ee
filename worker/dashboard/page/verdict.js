// The first thing to know: is it working? What fails, since when, which app? Said in a sentence, of the figures shown.
import {count, relative, share, time} from './format.js';
import {reasonText, whoActs} from './reasons.js';
import {word} from './words.js';

const failing = ['failed', 'rejected', 'expired', 'undelivered'];
/** From this share of what ended on, failures that need somebody are no side matter. */
const badShare = 0.05;

const sum = (counts, states) => states.reduce((total, state) => total + (counts[state] ?? 0), 0);

/** Sent, not sent, and ended altogether. */
export function outcome(counts) {
  const sent = sum(counts, ['sent', 'simulated']);
  const lost = sum(counts, failing);
  return {sent, lost, ended: sent + lost - (counts.undelivered ?? 0)};
}

export const lostStates = failing;

export const appName = (app) => (app === null ? word('none') : app === '*' ? word('others') : app);

/** The reason of a row, with WeChat's code. */
export const reasonOf = (row) => reasonText(row.reason) + (row.errcode ? ` (${row.errcode})` : '');

/** How many failures there are by who has to act. */
export function failuresBy(data) {
  const by = {operator: 0, producer: 0, recipient: 0};
  for (const row of data.failures) by[whoActs(row.reason)] += row.count;
  return by;
}

const urgency = {operator: 0, producer: 1, recipient: 2};
/** What the reader can act on first, then the most frequent. */
export const byUrgency = (one, other) => urgency[whoActs(one.reason)] - urgency[whoActs(other.reason)] || other.count - one.count;

/** `{level, title, lines: [{text, trouble}]}`; the level is `good`, `warn`, `bad` or `quiet`. */
export function judge(data, view) {
  const range = word(view.range ? `in_${view.range}` : 'in_fixed');
  if (view.state) return {level: 'quiet', title: word('verdict_filtered', {state: word(`state_${view.state}`)}), lines: []};
  const {sent, ended} = outcome(data.totals);
  const by = failuresBy(data);
  const held = data.waiting.filter((row) => row.reason !== 'not_before');
  const halted = held.filter((row) => row.reason === 'app_halted');
  const overdue = data.waiting.reduce((total, row) => total + row.overdue, 0);
  const troubles = [
    ...halted.map((row) => word('why_halted', {app: appName(row.app), count: count(row.count)})),
    ...failureLines(data),
    ...held.filter((row) => row.reason !== 'app_halted').map((row) => word('why_waiting', {
      app: appName(row.app), reason: reasonText(row.reason), count: count(row.count), time: time(row.last, data.now, false)})),
    ...(overdue > 0 ? [word('why_overdue', {count: count(overdue)})] : []),
  ].slice(0, 4);
  if (ended === 0 && troubles.length === 0) return quiet(data, range);
  const lines = troubles.map((text) => ({text, trouble: true}));
  if (ended > 0) {
    const refused = by.recipient > 0 ? ` ${word('why_recipients', {count: count(by.recipient)})}` : '';
    lines.push({text: word('why_sent', {sent: count(sent), range, share: share(sent, ended)}) + refused});
  }
  if (halted.length > 0 || by.operator + by.producer > badShare * ended || silentApp(data))
    return {level: 'bad', title: word('verdict_bad'), lines};
  if (ended === 0) return {level: 'warn', title: word('verdict_waiting'), lines};
  if (by.operator + by.producer > 0 || held.length > 0 || overdue > 0)
    return {level: 'warn', title: word('verdict_warn'), lines};
  return {level: 'good', title: word(view.range || !view.to ? 'verdict_good' : 'verdict_good_past'), lines};
}

/** The reasons that need somebody, the most frequent first. */
function failureLines(data) {
  return [...data.failures].sort(byUrgency).filter((row) => whoActs(row.reason) !== 'recipient').slice(0, 3).map((row) => word('why_failure', {
    what: reasonOf(row), count: count(row.count), time: time(row.first, data.now, data.step < 60_000),
    apps: row.apps.some(([app]) => app) ? word('in_apps', {apps: row.apps.filter(([app]) => app).slice(0, 2).map(([app]) => appName(app)).join(', ')}) : ''}));
}

/** Whether an app has nothing but failures that need somebody. */
function silentApp(data) {
  const needed = new Map();
  for (const row of data.failures) {
    if (whoActs(row.reason) !== 'operator') continue;
    for (const [app, number] of row.apps) needed.set(app, (needed.get(app) ?? 0) + number);
  }
  for (const [app, number] of needed) {
    const sent = data.groups.filter((row) => row.app === app).reduce((total, row) => total + outcome(row.counts).sent, 0);
    if (number >= 3 && sent === 0) return true;
  }
  return false;
}

function quiet(data, range) {
  const line = data.newest
    ? word('why_quiet', {range, ago: relative(data.newest, data.now), time: time(data.newest, data.now)})
    : word('why_empty', {topic: data.feed.topic});
  return {level: 'quiet', title: word('verdict_quiet'), lines: [{text: line}]};
}
