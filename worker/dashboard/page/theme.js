// Before the first paint, so that a dark room stays dark.
(function () {
  let theme = null;
  try { theme = localStorage.getItem('wxcourier.theme'); } catch { /* storage may be off */ }
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
})();
