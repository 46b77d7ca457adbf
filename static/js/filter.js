// Filter fields: data-filter is the selector of the labelled choices. Hidden ones stay selected.

document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-filter]");
  if (!field) return;
  const wanted = field.value.trim().toLowerCase();
  for (const choice of document.querySelector(field.dataset.filter).children)
    choice.hidden = !choice.textContent.toLowerCase().includes(wanted);
});

// It is in a form, which Enter would submit.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.closest?.("[data-filter]")) event.preventDefault();
});
