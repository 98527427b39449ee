// Numbers, times and spans as people write them, in the page's language.
import {language, word} from './words.js';

const cached = new Map();
function format(kind, name, options) {
  const key = `${language()} ${name}`;
  if (!cached.has(key)) cached.set(key, new Intl[kind](language() === 'zh' ? 'zh-CN' : 'en-GB', options));
  return cached.get(key);
}

/** 1,234,567; beyond ten millions 12.3M. */
export function count(value) {
  if (value < 10_000_000) return format('NumberFormat', 'count', {maximumFractionDigits: 0}).format(value);
  return format('NumberFormat', 'compact', {notation: 'compact', maximumFractionDigits: 1}).format(value);
}

/** Per second: 0.02, 3.4, 128. */
export function rate(value) {
  if (value === 0) return '0';
  const digits = value < 0.1 ? 2 : value < 10 ? 1 : 0;
  if (value < 0.01) return '<0.01';
  return format('NumberFormat', `rate${digits}`, {maximumFractionDigits: digits}).format(value);
}

/** Never 100 % when something is missing, never 0 % when something is there. */
export function share(part, whole) {
  if (!whole) return '–';
  let percent = 100 * part / whole;
  const digits = percent > 0 && percent < 100 && (percent > 99 || percent < 1) ? 2 : 1;
  const unit = 10 ** digits;
  percent = percent > 50 ? Math.floor(percent * unit) / unit : Math.ceil(percent * unit) / unit;
  return format('NumberFormat', 'share', {maximumFractionDigits: 2}).format(percent) + ' %';
}

/** A latency: 85 ms, 1.2 s, 3 min 20 s. */
export function latency(ms) {
  if (ms < 0) return '–';
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))} s`;
  return span(ms);
}

/** How long: 45 s, 3 min, 2 h 5 min, 3 d 4 h. Two units at most. */
export function span(ms) {
  const units = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'min'], [1000, 's']];
  let left = Math.max(0, Math.round(ms / 1000) * 1000);
  const parts = [];
  for (const [size, name] of units) {
    const whole = Math.floor(left / size);
    if (whole > 0 || (name === 's' && parts.length === 0)) parts.push(`${whole} ${word('unit_' + name)}`);
    left -= whole * size;
    if (parts.length === 2 || (parts.length === 1 && whole >= 10)) break;
  }
  return parts.join(' ');
}

const sameDay = (one, other) => new Date(one).toDateString() === new Date(other).toDateString();

/** 14:03:22, with the day when it is another one. `fine`: with seconds. */
export function time(ms, now = Date.now(), fine = true) {
  if (!ms) return '–';
  const clock = {hour: '2-digit', minute: '2-digit', ...(fine ? {second: '2-digit'} : {}), hourCycle: 'h23'};
  const day = sameDay(ms, now) ? {} : {day: 'numeric', month: 'short'};
  const year = day.day && new Date(ms).getFullYear() !== new Date(now).getFullYear() ? {year: 'numeric'} : {};
  const name = `time${fine}${Object.keys(day).length}${Object.keys(year).length}`;
  return format('DateTimeFormat', name, {...year, ...day, ...clock}).format(ms);
}

/** With its day, seconds and zone, for a title. */
export function fullTime(ms) {
  return format('DateTimeFormat', 'full', {dateStyle: 'full', timeStyle: 'long'}).format(ms);
}

/** "in 3 min" or "3 min ago". */
export function relative(ms, now) {
  const gap = ms - now;
  if (Math.abs(gap) < 1000) return word('just_now');
  return word(gap > 0 ? 'in_span' : 'ago', {span: span(Math.abs(gap))});
}
