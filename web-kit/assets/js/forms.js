// What htmx does not say by itself: a request that never reached the program changed nothing, and the person
// must read that. Input stays where it is. Notices are about the last thing a person did, so only the next
// write takes them away; lists that refresh themselves in between do not.
const isWrite = (event) => !['GET', 'HEAD'].includes(event.detail?.ctx?.request?.method?.toUpperCase());

document.addEventListener('htmx:error', (event) => {
  if (event.detail?.ctx?.response || !isWrite(event)) return;
  const notice = document.getElementById('not-reached');
  if (notice) notice.hidden = false;
});

document.addEventListener('htmx:before:request', (event) => {
  if (!isWrite(event)) return;
  const notice = document.getElementById('not-reached');
  if (notice) notice.hidden = true;
  document.getElementById('problems')?.replaceChildren();
});
