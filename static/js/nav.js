// Where a row of links is wider than a phone, the one that the person is at comes into view.

document
  .querySelectorAll(".tabs [aria-current], .sidenav [aria-current]")
  .forEach((link) => link.scrollIntoView({ block: "nearest", inline: "center" }));
