// What a page says it has done goes away by itself, but not while somebody points at it or has the focus in it;
// Escape sends it away. The address loses the note too, so that a reload does not say it again.
const SHOWN_MS = 10_000;
const done = document.querySelector('[data-done]');

if (done) {
  let timer = setTimeout(() => done.remove(), SHOWN_MS);
  const hold = () => clearTimeout(timer);
  const start = () => {
    hold();
    timer = setTimeout(() => done.remove(), SHOWN_MS);
  };
  done.addEventListener('pointerenter', hold);
  done.addEventListener('focusin', hold);
  done.addEventListener('pointerleave', start);
  done.addEventListener('focusout', start);
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) done.remove();
  });
  const address = new URL(location.href);
  for (const name of ['done', 'pieces', 'parts', 'settled', 'undone']) address.searchParams.delete(name);
  history.replaceState(history.state, '', address);
}
