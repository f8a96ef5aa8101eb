// The chosen theme, before the first paint. Without a choice the system's own holds.
(() => {
  const chosen = localStorage.getItem('broadstreet.theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
})();
