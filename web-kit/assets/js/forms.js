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

// The back button brings what was typed back, but not the key that the form was sent with: sent again it would count
// as something new. A page that was asked for again begins empty; one that was kept whole has its old key.
addEventListener('pageshow', (event) => {
  if (event.persisted || performance.getEntriesByType('navigation')[0]?.type !== 'back_forward') return;
  for (const key of document.querySelectorAll('form input[type="hidden"][name="key"]')) key.form.reset();
});
