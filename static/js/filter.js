// Filter fields: data-filter is the selector of what holds the labelled choices. What is hidden stays chosen.

document.addEventListener("input", (event) => {
  const field = event.target.closest?.("[data-filter]");
  if (!field) return;
  const wanted = field.value.trim().toLowerCase();
  for (const choice of document.querySelector(field.dataset.filter).children)
    choice.hidden = !choice.textContent.toLowerCase().includes(wanted);
});

// It stands within a form, which Enter would send.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.closest?.("[data-filter]")) event.preventDefault();
});
