// The list of orders: a scanned label or serial leads to its order.
document.addEventListener('scan', (event) => {
  if (event.defaultPrevented) return;
  event.preventDefault();
  location.assign(`/orders?q=${encodeURIComponent(event.detail.code)}`);
});
