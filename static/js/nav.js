// Where a row of links is wider than a phone, scroll to the current one. Not by scrollIntoView: the next Tab
// would continue from there, past the skip link.

document.querySelectorAll(".tabs [aria-current], .sidenav [aria-current]").forEach((link) => {
  const row = link.parentElement;
  row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
});
