// Buttons that print a part of the page: data-print names it, the style sheet leaves the rest out. Receipts and labels
// come from different printers, so each has its button.
document.addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('[data-print]') : null;
  if (!button) return;
  document.documentElement.dataset.prints = button.dataset.print;
  print();
});

addEventListener('afterprint', () => {
  delete document.documentElement.dataset.prints;
});
