// Where a row of links is wider than a phone, the one that the person is at comes into view.
// Not by scrollIntoView: the next Tab would then go on from there, past the skip link.

document.querySelectorAll(".tabs [aria-current], .sidenav [aria-current]").forEach((link) => {
  const row = link.parentElement;
  row.scrollLeft = link.offsetLeft - row.offsetLeft - (row.clientWidth - link.offsetWidth) / 2;
});
