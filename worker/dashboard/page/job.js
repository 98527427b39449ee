// What became of one job: its statuses as a timeline, from memory at once, from the whole topic on request.
import {el, find, say} from './dom.js';
import {count, fullTime, latency, relative, time} from './format.js';
import {advice, reasonText} from './reasons.js';
import {appName} from './verdict.js';
import {word} from './words.js';

const shownRecipients = 20;

export class JobDialog {
  /** @param onClose called when a person closes it. */
  constructor(onClose) {
    this.dialog = find('#job');
    this.body = find('.body', this.dialog);
    this.dialog.addEventListener('close', () => { this.stop(); this.id = null; onClose(); });
  }

  async open(id) {
    this.stop();
    this.id = id;
    say(find('#job-title'), word('job_title', {id}));
    this.body.replaceChildren(el('p', {class: 'quiet'}, word('job_looking')));
    if (!this.dialog.open) this.dialog.showModal();
    try {
      const reply = await fetch(`/api/job?id=${encodeURIComponent(id)}`);
      if (!reply.ok) throw new Error((await reply.json()).error);
      const {records} = await reply.json();
      if (this.id === id) this.show(records, false);
    } catch (error) {
      if (this.id === id) this.fail(error.message);
    }
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  stop() {
    this.source?.close();
    this.source = null;
  }

  fail(why) {
    this.body.replaceChildren(el('p', {class: 'notice'}, word('job_failed', {why})), this.searchButton('job_search'));
  }

  searchButton(text) {
    return el('p', {}, el('button', {type: 'button', onclick: () => this.search()}, word(text)));
  }

  /** Has the server look through the topic; shows how far it is. */
  search() {
    this.stop();
    const line = el('p', {role: 'status'}, word('job_searching', {done: 0, total: '…'}));
    const bar = el('progress', {max: 1});
    this.body.append(el('div', {class: 'searching'}, line, bar));
    this.source = new EventSource(`/api/search?id=${encodeURIComponent(this.id)}`);
    this.source.onerror = () => { this.stop(); this.fail('–'); };
    this.source.onmessage = (event) => {
      const found = JSON.parse(event.data);
      say(line, word('job_searching', {done: count(found.done), total: count(found.total)}));
      bar.value = found.total ? found.done / found.total : 1;
      if (!found.ended) return;
      this.stop();
      if (found.error) this.fail(found.error);
      else this.show(found.records, true);
    };
  }

  show(records, whole) {
    if (records.length === 0) {
      this.body.replaceChildren(el('p', {}, word(whole ? 'job_nothing' : 'job_missing')), ...(whole ? [] : [this.searchButton('job_search')]));
      return;
    }
    const last = records[records.length - 1];
    const groups = new Map();
    for (const each of records) {
      const key = `${each.source} ${each.who ?? ''}`;
      groups.set(key, [...(groups.get(key) ?? []), each]);
    }
    const parts = [...groups.values()];
    const shown = parts.slice(0, shownRecipients).map((each) => this.recipient(each, parts.length > 1));
    const rest = parts.length > shownRecipients
      ? el('p', {}, el('button', {type: 'button', onclick: (event) => event.target.parentElement.replaceWith(...parts.slice(shownRecipients).map((each) => this.recipient(each, true)))}, word('job_show_all', {count: count(parts.length)})))
      : null;
    this.body.replaceChildren(
      el('p', {class: 'facts'}, el('b', {}, appName(last.app)), el('span', {}, appName(last.kind)), parts.length > 1 ? el('span', {}, this.summary(parts)) : null),
      ...shown, ...[rest, whole ? null : this.searchButton('job_search_more')].filter((each) => each));
  }

  summary(parts) {
    const states = new Map();
    for (const each of parts) {
      const {state} = each[each.length - 1];
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    return word('job_recipients', {count: count(parts.length), states: [...states].map(([state, number]) => `${count(number)} ${word(`state_${state}`)}`).join(', ')});
  }

  recipient(records, titled) {
    const now = Date.now();
    const stamp = (ms) => el('time', {title: fullTime(ms)}, time(ms, now));
    const first = records[0];
    return el('section', {class: 'recipient'},
      titled || first.to ? el('h3', {}, first.to ?? word('no_recipient')) : null,
      el('ol', {class: 'timeline', role: 'list'},
        el('li', {}, el('i'), word('job_enqueued'), stamp(first.enqueued), el('div', {class: 'sub'}, `${word('source')} `, el('span', {class: 'mono'}, first.source))),
        records.map((each) => el('li', {'data-state': each.state}, el('i'), el('b', {}, word(`state_${each.state}`)), stamp(each.at), this.details(each, now)))));
  }

  details(each, now) {
    const facts = [];
    if (each.reason) facts.push(reasonText(each.reason));
    if (each.errcode) facts.push(word('code', {code: each.errcode}));
    if (each.retry) facts.push(word('until', {time: time(each.retry, now), span: relative(each.retry, now)}));
    if (each.latency !== undefined) facts.push(word('took', {latency: latency(each.latency)}));
    if (each.attempts) facts.push(each.attempts === 1 ? word('attempt') : word('attempts', {count: each.attempts}));
    if (each.msgid) facts.push(`${word('msgid')} ${each.msgid}`);
    facts.push(`${word('worker')} ${each.worker}`);
    return el('div', {class: 'sub'}, facts.join(' · '),
      each.errmsg && each.errcode ? el('div', {class: 'mono'}, each.errmsg) : null,
      each.reason && advice(each.reason) && each.state !== 'sent' ? el('div', {}, advice(each.reason)) : null);
  }
}
