// Keys of the page. An element with data-key="n" is pressed, followed or focused by that key, with data-key="z u" by
// either; "/" and "?" are ordinary values. In an open dialog its own keys hold. What a page's own module listens to
// stands in the list by data-keys. Ctrl+Enter submits the form in use. Listens on window, so it survives every swap.
const typing = (target) =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="button"])'));

const keysOf = (element) => element.dataset.key.split(' ');
const find = (key) => {
  const place = document.querySelector('dialog[open]') ?? document;
  return [...place.querySelectorAll('[data-key]')].find((element) => keysOf(element).includes(key) && element.checkVisibility());
};

function use(element) {
  if (element.matches('input, select, textarea')) {
    element.focus();
    element.select?.();
  } else {
    element.click();
  }
}

// The list is made when it is asked for: a swap may have brought other keys.
function list() {
  const dialog = document.getElementById('keys');
  if (!dialog || dialog.open) return;
  const rows = [...document.querySelectorAll('[data-key], [data-keys]')]
    .filter((element) => element.dataset.keys || element.checkVisibility())
    .flatMap((element) => {
      const key = document.createElement('dt');
      for (const name of element.dataset.keys ? [element.dataset.keys] : keysOf(element)) {
        const cap = document.createElement('kbd');
        cap.textContent = name.toUpperCase();
        key.append(cap, ' ');
      }
      const name = document.createElement('dd');
      const copy = element.cloneNode(true);
      for (const cap of copy.querySelectorAll('kbd, .sr')) cap.remove();
      name.textContent = element.dataset.keyName || element.getAttribute('aria-label') || copy.textContent.trim() || element.getAttribute('placeholder');
      return [key, name];
    });
  dialog.querySelector('dl').replaceChildren(...rows);
  dialog.showModal();
}

// Outside of a form Ctrl+Enter presses the one button that says so, as behind a scan, when nothing has the focus.
function saves() {
  const place = document.querySelector('dialog[open]') ?? document;
  const says = (kbd) => kbd.textContent.startsWith('Ctrl') && kbd.checkVisibility();
  const buttons = [...place.querySelectorAll('button kbd')].filter(says).map((kbd) => kbd.closest('button'));
  return buttons.length === 1 ? buttons[0] : null;
}

// In the rail the arrows go from page to page and Enter, as on any link, goes there.
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
function walk(event) {
  const rail = event.target instanceof Element ? event.target.closest('nav.rail') : null;
  const step = STEPS[event.key];
  if (!rail || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const places = [...rail.querySelectorAll('a, button')];
  const at = places.indexOf(document.activeElement);
  places[(at + step + places.length) % places.length]?.focus();
}
// Before the page's own arrows, which hold wherever the focus is.
addEventListener('keydown', walk, { capture: true });

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
    const form = event.target instanceof HTMLElement ? event.target.closest('form') : null;
    const button = form ? null : saves();
    if (form || button) event.preventDefault();
    form?.requestSubmit();
    button?.click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === '?' && !document.querySelector('dialog[open]')) {
    event.preventDefault();
    list();
    return;
  }
  const element = find(event.key.toLowerCase());
  if (element) {
    event.preventDefault();
    use(element);
  }
});

addEventListener('click', (event) => {
  if (event.target instanceof Element && event.target.closest('[data-shows-keys]')) list();
});

// Dialogs: data-opens names one, data-closes closes the one around it. A field marked data-here gets this page's
// address, so that a form comes back to it.
addEventListener('click', (event) => {
  if (!(event.target instanceof Element)) return;
  const opener = event.target.closest('[data-opens]');
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    for (const field of dialog?.querySelectorAll('[data-here]') ?? []) field.value = location.pathname + location.search;
    dialog?.showModal?.();
  }
  if (event.target.closest('[data-closes]')) event.target.closest('dialog')?.close();
});
