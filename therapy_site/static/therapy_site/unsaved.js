// Asks before a half-filled form is left, by a link or the language's switch; without this module
// leaving it empties it, as anywhere.

const forms = [...document.querySelectorAll("main form[method=post]")];
const asLoaded = new Map(forms.map((form) => [form, typed(form)]));
let isSent = false;

for (const form of forms) form.addEventListener("submit", () => { isSent = true; });

addEventListener("beforeunload", (event) => {
  if (!isSent && forms.some((form) => typed(form) !== asLoaded.get(form))) event.preventDefault();
});

function typed(form) {
  return new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string")).toString();
}
