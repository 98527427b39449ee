// The stream of snapshots: one at a time, begun again when it breaks, left alone while nobody looks.

const firstPause = 1000;
const longestPause = 15_000;
/** A stream that says nothing for so long is dead, whatever the socket thinks. */
const patience = 12_000;

export class Feed {
  /** @param on `{snapshot(data), lost(why)}` */
  constructor(on) {
    this.on = on;
    this.pause = firstPause;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.close() : this.open()));
    addEventListener('online', () => this.open());
  }

  /** Follows the snapshots of a query. */
  follow(query) {
    this.query = query;
    this.open();
  }

  open() {
    this.close();
    if (document.hidden || this.query === undefined) return;
    const source = new EventSource(`/api/stream?${this.query}`);
    this.source = source;
    this.watch();
    source.onmessage = (event) => {
      if (source !== this.source) return;
      this.pause = firstPause;
      this.watch();
      this.on.snapshot(JSON.parse(event.data));
    };
    source.onerror = () => source === this.source && this.again();
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), patience);
  }

  async again() {
    this.close();
    this.on.lost();
    this.timer = setTimeout(() => this.open(), this.pause);
    this.pause = Math.min(longestPause, this.pause * 1.7);
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
