// The page's address holds what is looked at: it can be sent to somebody, and survives a reload.

export const ranges = ['5m', '15m', '1h', '6h', '24h', '7d', 'all'];
const usual = '15m';
const names = ['app', 'kind', 'state', 'range', 'from', 'to', 'list', 'job', 'lang'];

/** What is looked at: `app`, `kind`, `state`, `list`, `job`, `lang` (null: not said), and `range`, or `from` with `to`. */
export function readAddress() {
  const given = new URLSearchParams(location.search);
  const view = Object.fromEntries(names.map((name) => [name, given.get(name)]));
  for (const name of ['from', 'to']) view[name] = /^\d{1,15}$/.test(view[name] ?? '') ? Number(view[name]) : null;
  if (view.to !== null && (view.from === null || view.to <= view.from)) view.to = null;
  view.range = view.from !== null ? null : ranges.includes(view.range) ? view.range : usual;
  return view;
}

/** Writes it. `remember`: the browser's "back" leads to the one before. */
export function writeAddress(view, remember = true) {
  const query = parameters(view, names).toString();
  const address = query ? `?${query}` : location.pathname;
  if (address !== location.search) history[remember ? 'pushState' : 'replaceState'](null, '', address);
}

/** The part of it that the server answers. */
export const queryOf = (view) => parameters({...view, range: view.range ?? null}, ['app', 'kind', 'state', 'range', 'from', 'to', 'list'], false).toString();

function parameters(view, wanted, short = true) {
  const query = new URLSearchParams();
  for (const name of wanted) {
    if (view[name] === null || view[name] === undefined) continue;
    if (short && name === 'range' && view.range === usual) continue;
    query.set(name, view[name]);
  }
  return query;
}
