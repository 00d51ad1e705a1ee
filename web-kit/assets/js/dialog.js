// The page's one dialog that the server fills: what htmx puts into #dialog opens it, an answer that did what a form in
// it wanted closes it. A refused form comes back into it. Without this module the same parts are pages of their own.
const dialog = () => document.getElementById('dialog');
let isDone = false; // closed by an answer whose swap is still to come

document.addEventListener('htmx:after:swap', () => {
  const place = dialog();
  if (!place || place.open || isDone || !place.firstElementChild) return;
  place.showModal();
  (place.querySelector('[aria-invalid="true"]') ?? place.querySelector('[autofocus]'))?.focus();
});

document.addEventListener('htmx:after:request', (event) => {
  const { sourceElement, response } = event.detail?.ctx ?? {};
  if (!sourceElement?.matches?.('#dialog form') || !(response?.status < 400)) return;
  isDone = true;
  dialog().close();
});

addEventListener('close', (event) => {
  if (event.target.id !== 'dialog') return;
  event.target.replaceChildren();
  isDone = false;
}, { capture: true });

// The way out of a part that can be a page is a link; in the dialog it only closes.
addEventListener('click', (event) => {
  if (event.target instanceof Element && event.target.closest('#dialog a[data-closes]')) event.preventDefault();
}, { capture: true });

// Enter in a one-line field would press the first of several ways: it leads to them instead.
addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.ctrlKey || !(event.target instanceof HTMLInputElement)) return;
  const ways = event.target.closest('#dialog form')?.querySelectorAll('button.way');
  if (!ways?.length) return;
  event.preventDefault();
  ways[0].focus();
});
