// Small comforts while answering; without this module every form works the same.

const SECOND_PRESS_MS = 3000;

for (const form of document.querySelectorAll("main form[method=post]")) {
  let sentAt = -Infinity;
  form.addEventListener("submit", (event) => {
    // Two presses in a row send once. After a while the button works again, should the net fail.
    const now = performance.now();
    if (now - sentAt < SECOND_PRESS_MS) return event.preventDefault();
    sentAt = now;
    if ("timed" in form.dataset) tellTime(form, now);
  });
}

// How long the question was on the screen, for the quality of the data.
function tellTime(form, milliseconds) {
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "elapsed_ms";
  field.value = Math.round(milliseconds);
  form.append(field);
}

// A page that the browser kept from before is asked for again, so that it shows what is saved now.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
