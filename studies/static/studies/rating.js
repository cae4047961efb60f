// What is said of a night's music while tonight's is playing is sent from where the page is: a page
// that loads anew would stop the music. Without this module the form works the same.

const form = document.querySelector("form.rating");
const audio = document.querySelector("#player audio");

async function say(button) {
  const body = new FormData(form);
  body.set(button.name, button.value);
  const answer = await fetch(form.action, { method: "POST", body });
  // Whoever is signed out by now is led to another page: nothing was kept.
  if (!answer.ok || new URL(answer.url).pathname !== location.pathname) return;
  for (const one of form.querySelectorAll("button[name=rating]")) {
    one.setAttribute("aria-pressed", String(one === button));
  }
}

form.addEventListener("submit", (event) => {
  if (event.defaultPrevented || audio.paused) return;
  event.preventDefault();
  // Without a connection nothing is marked, and can be pressed again.
  say(event.submitter).catch(() => {});
});
