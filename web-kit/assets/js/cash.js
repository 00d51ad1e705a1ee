// The count of a drawer: sums while somebody types; Enter goes on to the next coin. What should be there is not here.
const form = document.getElementById('count');

function format(minor) {
  const { sample, currency } = form.dataset;
  const digits = Number(form.dataset.digits);
  const text = String(minor).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits).replaceAll(/\B(?=(\d{3})+$)/g, sample[1]);
  return { plain: digits > 0 ? `${whole}${sample[5]}${text.slice(-digits)}` : whole, currency };
}

function draw() {
  let total = 0;
  for (const field of form.querySelectorAll('[data-value]')) {
    const typed = field.value.trim();
    const isNumber = /^\d+$/.test(typed);
    const sum = isNumber ? Number(typed) * Number(field.dataset.value) : 0;
    total += sum;
    field.closest('.denomination').querySelector('[data-sum]').textContent = isNumber && sum > 0 ? format(sum).plain : '';
    if (typed === '' || isNumber) field.removeAttribute('aria-invalid');
    else field.setAttribute('aria-invalid', 'true');
  }
  const { plain, currency } = format(total);
  form.querySelector('[data-total]').textContent = `${currency} ${plain}`;
}

if (form) {
  form.addEventListener('input', draw);
  form.addEventListener('keydown', (event) => {
    const fields = [...form.querySelectorAll('input:not([type="hidden"])')];
    const at = fields.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { Enter: 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const next = fields[at + step];
    if (!next && event.key === 'Enter') return;
    event.preventDefault();
    next?.focus();
    next?.select();
  });
  draw();
}
