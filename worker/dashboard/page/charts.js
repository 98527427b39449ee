// Three charts over one axis of time. Drawn by uPlot, a few thousand points in a millisecond.
import {el, find} from './dom.js';
import {latency, rate, time} from './format.js';
import {lostStates} from './verdict.js';
import {word} from './words.js';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const uPlot = window.uPlot;
/** Lines of a latency axis, in milliseconds: each about ten times the one below. */
const readable = [1, 10, 100, 1000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000, 259_200_000];

export class Charts {
  /** @param onZoom called with the milliseconds that were dragged over; with nothing after a double click. */
  constructor(onZoom) {
    this.onZoom = onZoom;
    this.sync = uPlot.sync('time');
    this.tip = el('div', {class: 'tip', hidden: true});
    this.build();
    const watch = new ResizeObserver(() => this.resize());
    for (const plot of document.querySelectorAll('.plot')) watch.observe(plot);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.rebuild());
  }

  rebuild() {
    for (const each of Object.values(this.plots)) each.destroy();
    this.build();
    if (this.data) this.show(this.data);
  }

  build() {
    const stacked = lostStates.map((state, index) => ({
      stroke: colour(state), fill: colour(state), width: 0, points: {show: false},
      // The bar of all of them first, then what is left without the last one, over it.
      show: true, paths: uPlot.paths.bars({size: [0.9, 40], align: 1}), state, index}));
    this.plots = {
      sent: this.plot('#chart-sent', [{stroke: colour('sent'), fill: `${colour('sent')}2e`, width: 1.5, points: {show: false},
        paths: uPlot.paths.stepped({align: 1})}], rate),
      lost: this.plot('#chart-lost', stacked, rate),
      latency: this.plot('#chart-latency', [
        {stroke: colour('p99'), width: 1.5, dash: [5, 3], points: {show: true, size: 3, fill: colour('p99')}},
        {stroke: colour('p50'), width: 2, points: {show: true, size: 3, fill: colour('p50')}}], latency, true),
    };
  }

  plot(where, series, format, logarithmic = false) {
    const place = find(`${where} .plot`);
    const axis = {stroke: colour('soft'), grid: {stroke: colour('faint'), width: 1}, ticks: {show: false}, font: `12px ${getComputedStyle(document.body).fontFamily}`};
    return new uPlot({
      width: place.clientWidth || 600, height: place.clientHeight || 120, legend: {show: false}, padding: [6, 10, 0, 0],
      cursor: {sync: {key: 'time'}, drag: {x: true, y: false, setScale: false}, y: false, points: {show: false},
        bind: {dblclick: () => () => { this.onZoom(); return null; }}},
      scales: {x: {time: true, range: (_, low, high) => (this.data ? [this.data.from / 1000, this.data.to / 1000] : [low, high])},
        y: logarithmic ? {distr: 3, range: (_, low, high) => [Math.max(1, low / 1.5) || 1, Math.max(10, high * 1.5) || 1000]}
          : {range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1]}},
      axes: [
        {...axis, size: 26, gap: 4, space: 70, values: (_, ticks) => ticks.map((tick, index) => this.tick(tick, index, ticks))},
        {...axis, size: 62, gap: 4, space: 28, values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : format(tick))),
          ...(logarithmic ? {splits: (plot) => readable.filter((each) => each >= plot.scales.y.min && each <= plot.scales.y.max), filter: (_, ticks) => ticks} : {})}],
      series: [{}, ...series],
      hooks: {setCursor: [(plot) => this.point(plot)], setSelect: [(plot) => this.select(plot)]},
    }, [[0, 1], ...series.map(() => [null, null])], place);
  }

  tick(tick, index, ticks) {
    const step = (ticks[1] ?? tick) - ticks[0];
    const at = new Date(tick * 1000);
    if (step >= 86_400 || (at.getHours() === 0 && at.getMinutes() === 0))
      return new Intl.DateTimeFormat(document.documentElement.lang, {day: 'numeric', month: 'short'}).format(at);
    return new Intl.DateTimeFormat(document.documentElement.lang, {hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(step < 60 ? {second: '2-digit'} : {})}).format(at);
  }

  select(plot) {
    if (plot.select.width < 4) return;
    const at = (left) => plot.posToVal(left, 'x') * 1000;
    const {step, from} = this.data;
    const begin = from + Math.floor((at(plot.select.left) - from) / step) * step;
    const end = from + Math.ceil((at(plot.select.left + plot.select.width) - from) / step) * step;
    plot.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
    this.onZoom(Math.max(from, begin), end);
  }

  show(data) {
    this.data = data;
    const columns = data.p50.length;
    const perSecond = data.step / 1000;
    const times = Array.from({length: columns}, (_, index) => (data.from + index * data.step) / 1000);
    // The column that is still filling would look like a fall.
    const whole = data.now < data.to && columns > 3 ? columns - 1 : columns;
    const upTo = (values) => values.map((value, index) => (index < whole ? value : null));
    const of = (state) => data.over_time[state];
    const sent = times.map((_, index) => ((of('sent')?.[index] ?? 0) + (of('simulated')?.[index] ?? 0)) / perSecond);
    const layers = lostStates.map((_, layer) => times.map((_unused, index) =>
      lostStates.slice(layer).reduce((total, state) => total + (of(state)?.[index] ?? 0), 0) / perSecond));
    const positive = (values) => values.map((value) => (value < 0 ? null : Math.max(1, value)));
    this.plots.sent.setData([times, upTo(sent)]);
    this.plots.lost.setData([times, ...layers.map(upTo)]);
    this.plots.latency.setData([times, positive(data.p99), positive(data.p50)]);
    this.legends(data);
  }

  legends(data) {
    const there = lostStates.filter((state) => data.totals[state] > 0);
    find('#chart-lost .legend').replaceChildren(...there.map((state) => el('span', {class: 'box', 'data-state': state}, el('i'), word(`state_${state}`))));
    const lines = [['p50', 'half'], ['p99', 'most']].map(([name, text]) => {
      const line = el('span', {}, el('i'), word(text));
      line.style.setProperty('--c', `var(--${name})`);
      return line;
    });
    find('#chart-latency .legend').replaceChildren(...lines);
    for (const [id, text] of [['sent', 'chart_sent'], ['lost', 'chart_lost'], ['latency', 'chart_latency']]) {
      const place = find(`#chart-${id} .plot`);
      place.setAttribute('role', 'img');
      place.setAttribute('aria-label', word(text));
    }
  }

  /** What stands under the pointer, in words. */
  point(plot) {
    const index = plot.cursor.idx;
    const hovered = plot.root.matches(':hover');
    if (!hovered || index === null || index === undefined || !this.data) {
      if (this.tip.parentElement === plot.over) this.tip.hidden = true;
      return;
    }
    const {data} = this;
    const line = (name, text) => el('div', {}, el('span', {}, name), el('b', {}, text));
    const perSecond = data.step / 1000;
    const rows = plot === this.plots.latency
      ? [line(word('most'), latency(data.p99[index])), line(word('half'), latency(data.p50[index]))]
      : (plot === this.plots.sent ? ['sent', 'simulated'] : lostStates).filter((state) => data.over_time[state])
        .map((state) => line(word(`state_${state}`), `${rate((data.over_time[state][index] ?? 0) / perSecond)}/s`));
    this.tip.replaceChildren(el('div', {}, time(data.from + index * data.step, data.now, data.step < 60_000)), ...rows);
    if (this.tip.parentElement !== plot.over) plot.over.append(this.tip);
    this.tip.hidden = false;
    const left = plot.cursor.left;
    const width = this.tip.offsetWidth;
    this.tip.style.left = `${left + 14 + width > plot.over.clientWidth ? left - width - 14 : left + 14}px`;
    this.tip.style.top = '2px';
  }

  resize() {
    for (const plot of Object.values(this.plots)) {
      const place = plot.root.parentElement;
      if (place.clientWidth > 0 && (place.clientWidth !== plot.width || place.clientHeight !== plot.height))
        plot.setSize({width: place.clientWidth, height: place.clientHeight});
    }
  }
}

/** A row's counts over time as small bars. */
export function spark(values, state) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', `0 0 ${values.length * 4} 26`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('class', 'spark');
  svg.setAttribute('aria-hidden', 'true');
  const most = Math.max(1, ...values);
  const path = values.map((value, index) => (value === 0 ? '' : `M${index * 4} 26v${-Math.max(2, 25 * value / most).toFixed(1)}h3v26z`)).join('');
  const bars = document.createElementNS(space, 'path');
  bars.setAttribute('d', path);
  bars.style.fill = `var(--${state})`;
  const ground = document.createElementNS(space, 'path');
  ground.setAttribute('d', `M0 25.5h${values.length * 4}`);
  ground.style.stroke = 'var(--line)';
  svg.append(ground, bars);
  return svg;
}
