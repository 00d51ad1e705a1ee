// What htmx does not say by itself: a request that never reached the program changed nothing, and the person
// must read that. Input stays where it is.
const notice = () => document.getElementById('not-reached');

document.addEventListener('htmx:error', (event) => {
  if (event.detail?.ctx?.response) return;
  const element = notice();
  if (element) element.hidden = false;
});

document.addEventListener('htmx:after:request', () => {
  const element = notice();
  if (element) element.hidden = true;
});

// A problem is about the last request only: the next successful one takes it away.
document.addEventListener('htmx:before:swap', (event) => {
  const status = event.detail?.ctx?.response?.status ?? 0;
  if (status < 400) document.getElementById('problems')?.replaceChildren();
});
