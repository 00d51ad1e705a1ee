// The order's page: a scan anywhere goes to the order, and what is being typed is never taken away by a refresh.
import { tone } from './scan.js';

const order = () => document.getElementById('order');
const formKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

document.addEventListener('scan', (event) => {
  const place = order();
  if (event.defaultPrevented || !place?.hasAttribute('data-writes') || document.querySelector('dialog[open]')) return;
  event.preventDefault();
  const values = { key: formKey(), code: event.detail.code };
  htmx.ajax('POST', `/orders/${place.dataset.order}/parts`, { source: '#scanner', target: '#toasts', swap: 'none', values });
});

document.addEventListener('htmx:after:request', (event) => {
  const { sourceElement, response } = event.detail?.ctx ?? {};
  if (sourceElement?.id === 'scanner') tone(response?.status < 400 ? 'hit' : 'unknown');
});

// A form that somebody types into stays as it is while the page around it refreshes.
document.addEventListener('input', (event) => {
  const form = event.target instanceof Element && event.target.closest('#order form[data-keeps]');
  if (form) form.setAttribute('hx-morph-skip', '');
});

// When its answer came and it did what it should, it is drawn anew; a morph cannot empty a field.
document.addEventListener('htmx:before:swap', (event) => {
  const { sourceElement, response } = event.detail?.ctx ?? {};
  if (!sourceElement?.matches?.('#order form') || !(response?.status < 400)) return;
  const form = sourceElement;
  form.removeAttribute('hx-morph-skip');
  form.reset();
  if (form.matches('details > form[data-keeps]')) form.closest('details').open = false;
});

document.addEventListener('htmx:after:swap', (event) => {
  // A scan leaves the focus where somebody works; a form that was sent takes it to what is wrong.
  const { sourceElement, response } = event.detail?.ctx ?? {};
  if (response?.status === 422 && sourceElement?.id !== 'scanner') document.querySelector('#order [aria-invalid="true"]')?.focus();
});
