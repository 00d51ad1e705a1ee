// Reading in a list of parts: the file goes up as it is, first to see what would happen, then to be written. The key
// is the page's: sending the same file twice has one effect.
const root = document.querySelector('[data-parts-import]');
const result = document.getElementById('import-result');
const input = document.getElementById('file');
let file = null;
let busy = false;

function address(base) {
  const picks = [...result.querySelectorAll('[data-column]')].map((pick) => [pick.dataset.column, pick.value]);
  return picks.length ? `${base}?${new URLSearchParams(picks)}` : base;
}

async function send(base, headers) {
  if (!file || busy) return;
  busy = true;
  root.setAttribute('aria-busy', 'true');
  try {
    const answer = await fetch(address(base), {
      method: 'POST',
      body: file,
      headers: { 'Content-Type': 'text/csv', 'HX-Request': 'true', 'HX-Request-Type': 'partial', ...headers },
    });
    const target = answer.ok ? result : document.getElementById('problems');
    document.getElementById('problems').replaceChildren();
    htmx.swap({ sourceElement: document.body, target, swap: 'innerHTML', text: await answer.text() });
    document.getElementById('not-reached').hidden = true;
  } catch {
    document.getElementById('not-reached').hidden = false;
  } finally {
    busy = false;
    root.removeAttribute('aria-busy');
  }
}

function take(chosen) {
  if (!chosen) return;
  file = chosen;
  root.querySelector('[data-file-name]').textContent = chosen.name;
  result.replaceChildren();
  send(root.dataset.preview, {});
}

input.addEventListener('change', () => {
  take(input.files[0]);
  // The same file may have been mended and be chosen again.
  input.value = '';
});
root.addEventListener('dragover', (event) => event.preventDefault());
root.addEventListener('drop', (event) => {
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
result.addEventListener('change', (event) => {
  if (event.target.matches('[data-column]')) send(root.dataset.preview, {});
});
result.addEventListener('click', (event) => {
  if (event.target.closest('[data-run-import]')) send(root.dataset.run, { 'Idempotency-Key': root.dataset.formKey });
});
