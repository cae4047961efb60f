// Small comforts while answering: a form is sent once however often its button is pressed, and a
// page that the browser kept from before is asked for again, so that it shows what is saved now.

for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
