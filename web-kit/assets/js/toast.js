// A toast goes by itself, but not while somebody points at it or has the focus in it; Escape sends it away. One that a
// page brought along is said once: the address loses its name, so that a reload or a bookmark does not say it again.
const SHOWN_MS = 10_000;
const region = document.getElementById('toasts');
let timer = 0;

const clear = () => region.replaceChildren();
const start = () => {
  clearTimeout(timer);
  if (region.firstElementChild) timer = setTimeout(clear, SHOWN_MS);
};
const hold = () => clearTimeout(timer);

if (region) {
  new MutationObserver(start).observe(region, { childList: true });
  region.addEventListener('pointerenter', hold);
  region.addEventListener('focusin', hold);
  region.addEventListener('pointerleave', start);
  region.addEventListener('focusout', start);
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) clear();
  });
  start();
  const address = new URL(location.href);
  if (address.searchParams.has('said')) {
    address.searchParams.delete('said');
    history.replaceState(history.state, '', address);
  }
}
