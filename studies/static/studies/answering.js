// One question: sends the answer, keeps it while there is no connection, and goes on to the next.
// Without this module the form sends itself, and every page works the same.

import { ask, askForPin, entryOf, keep, say, send, whenSent } from "./keeping.js";

const form = document.querySelector("form[data-sheet]");
const { dataset } = form;
const texts = document.getElementById("kept").dataset;
const rest = dataset.rest.split(" ").filter(Boolean);
const numbers = dataset.numbers.split(" ").filter(Boolean).map(Number);
const places = new Map(rest.map((key, place) => [key, numbers[place]]));
let nItems = Number(dataset.of);
let item = dataset.item;
let shownAt = 0; // since the page began; the first question stood on it from the start
let isSending = false;
let questions = null;

// The empty questions, so that somebody can go on in a tunnel.
fetch(dataset.blank)
  .then((answer) => (answer.ok ? answer.text() : ""))
  .then((html) => {
    questions = new DOMParser().parseFromString(html, "text/html");
  })
  .catch(() => {});

function templateOf(key) {
  return questions?.querySelector(`template[data-item="${key}"]`);
}

function fieldsOf(submitter) {
  const typed = new FormData(form, submitter);
  typed.delete("csrfmiddlewaretoken");
  typed.set("elapsed_ms", String(Math.round(performance.now() - shownAt)));
  typed.set("language", dataset.language);
  return [...typed];
}

function isEmpty(fields) {
  const own = fields.filter(([name]) => !["elapsed_ms", "language"].includes(name));
  return own.every(([, value]) => value.trim() === "");
}

// What hangs on an answer that says "no" is not asked.
function leaveOutWhatDependsOnNo(fields) {
  const answer = fields.find(([name]) => name === "answer")?.[1] ?? "";
  if (answer.trim() !== "" && answer !== "0") return;
  for (const key of [...rest]) {
    if (templateOf(key)?.dataset.dependsOn === item) leaveOut(key);
  }
}

function leaveOut(key) {
  for (const later of rest.splice(rest.indexOf(key)).slice(1)) {
    places.set(later, places.get(later) - 1);
    rest.push(later);
  }
  nItems -= 1;
}

function sayWhere() {
  const kicker = form.querySelector("[data-words]");
  kicker.textContent = kicker.dataset.words.replace("{n}", places.get(item)).replace("{of}", nItems);
}

function showNext() {
  const template = templateOf(rest[0]);
  if (!template) return waitForTheNet();
  item = rest.shift();
  for (const part of document.querySelectorAll("main .error-summary, main .read-back, main .watermark, [data-said]")) {
    part.remove();
  }
  form.querySelector(".item").replaceWith(template.content.cloneNode(true));
  sayWhere();
  shownAt = performance.now();
  const heading = form.querySelector("h1");
  heading.tabIndex = -1;
  heading.focus();
  scrollTo(0, 0);
}

function waitForTheNet() {
  form.inert = true;
  form.classList.add("waits");
  say(rest.length ? texts.wait : texts.done);
}

// The connection is gone: this answer stays on the phone, and the next question is asked.
function goOnWithout(entry) {
  if (!keep(entry)) return say(texts.full);
  say(texts.offline);
  leaveOutWhatDependsOnNo(entry.fields);
  showNext();
}

async function answer(event) {
  event.preventDefault();
  if (isSending) return;
  isSending = true;
  const fields = fieldsOf(event.submitter);
  const entry = entryOf(`${dataset.sheet}${item}/`, fields);
  const outcome = await send(entry);
  isSending = false;
  if (outcome.state === "sent") location.assign(outcome.next);
  else if (outcome.state === "ask") ask(entry);
  else if (isEmpty(fields) && templateOf(item)?.dataset.missing) say(templateOf(item).dataset.missing);
  else if (outcome.state === "later") goOnWithout(entry);
  else if (keep(entry)) askForPin();
}

form.addEventListener("submit", answer);
whenSent((last) => last && location.assign(last.next));

// A tap with a finger or a mouse answers at once; with keys, somebody chooses first.
if ("taps" in dataset) {
  let isPointed = false;
  for (const hint of form.querySelectorAll("[data-with-scripts]")) hint.hidden = false;
  form.addEventListener("pointerdown", (event) => {
    isPointed = Boolean(event.target.closest(".choice"));
  });
  form.addEventListener("keydown", () => {
    isPointed = false;
  });
  form.addEventListener("click", (event) => {
    if (!isPointed || !event.target.matches("input[type=radio]")) return;
    isPointed = false;
    form.requestSubmit(form.querySelector(".actions button"));
  });
}

// A page that the browser kept from before is asked for again, so that it shows what is saved now.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
