// Receipts: a scan is the next thing at the till. A receipt's code leads to that receipt.
import { tone } from './sound.js';

document.addEventListener('scan', (event) => {
  if (event.defaultPrevented) return;
  event.preventDefault();
  tone('hit');
  const form = document.createElement('form');
  form.method = 'post';
  form.action = '/till/basket';
  form.hidden = true;
  const code = document.createElement('input');
  code.name = 'code';
  code.value = event.detail.code;
  form.append(code);
  document.body.append(form);
  form.submit();
});

// Arrows go up and down the list; the row's own link is what they reach.
addEventListener('keydown', (event) => {
  if (event.defaultPrevented || !['ArrowDown', 'ArrowUp'].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && event.target.matches('input, select, textarea')) return;
  const links = [...document.querySelectorAll('[data-rows] a[data-row]')];
  if (links.length === 0) return;
  event.preventDefault();
  const at = links.indexOf(document.activeElement);
  links[event.key === 'ArrowDown' ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0)].focus();
});
