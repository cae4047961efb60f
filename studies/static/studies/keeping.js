// Answers that cannot be sent now are kept on this phone, and sent once when the connection is back.
//
// Each answer lies in localStorage under a key of its own, so that two tabs never write over each
// other, and travels with that key: the server counts it once however often it arrives. What is kept
// belongs to one person, goes with signing out, and is never kept longer than a week.

const PREFIX = "kept:";
const WEEK_MS = 7 * 24 * 3600 * 1000;
const PATIENCE_MS = 15_000;
const EVERY_MS = 5000;

const notice = document.getElementById("kept");
const words = notice?.dataset ?? {};

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

// An answer on its way: to which page, with which fields, given when.
export function entryOf(url, fields) {
  return { url, fields, key: newKey(), at: Date.now(), person: words.person };
}

function slotOf(entry) {
  return `${PREFIX}${String(entry.at).padStart(14, "0")}:${entry.key}`;
}

export function keep(entry) {
  try {
    localStorage.setItem(slotOf(entry), JSON.stringify(entry));
    return true;
  } catch {
    return false; // a full or forbidden store: the page goes on asking the net instead
  }
}

function letGo(entry) {
  localStorage.removeItem(slotOf(entry));
}

// What this person's phone keeps, in the order in which it was given.
export function kept() {
  const slots = Object.keys(localStorage).filter((slot) => slot.startsWith(PREFIX)).sort();
  const entries = slots.map((slot) => JSON.parse(localStorage.getItem(slot))).filter(Boolean);
  return entries.filter((entry) => entry.person === words.person);
}

function dropWhatIsNotTheirs() {
  for (const slot of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const entry = JSON.parse(localStorage.getItem(slot));
    const isTooOld = Date.now() - entry.at > WEEK_MS;
    if (isTooOld || (words.person && entry.person !== words.person)) localStorage.removeItem(slot);
  }
}

function bodyOf(entry) {
  const body = new FormData();
  for (const [name, value] of entry.fields) body.append(name, value);
  body.set("key", entry.key);
  body.set("waited_ms", String(Math.max(0, Date.now() - entry.at)));
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  return body;
}

// Returns where to go on, or why not: "later" (no net), "pin" (signed out), "ask" (a page tells).
export async function send(entry) {
  try {
    const answer = await fetch(entry.url, {
      method: "POST",
      body: bodyOf(entry),
      headers: { Accept: "application/json" },
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 401) return { state: "pin" };
    if (answer.status >= 500) return { state: "later" };
    const isData = answer.headers.get("Content-Type")?.startsWith("application/json");
    if (!answer.ok || !isData) return { state: "ask" };
    return { state: "sent", next: (await answer.json()).next };
  } catch {
    return { state: "later" };
  }
}

// Sends an entry as the page's own form would: the server's page says what is wrong with it.
export function ask(entry) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = entry.url;
  for (const [name, value] of bodyOf(entry)) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = name;
    field.value = value;
    form.append(field);
  }
  document.body.append(form);
  form.submit();
}

async function sendInOrder() {
  let last = null;
  for (const entry of kept()) {
    const outcome = await send(entry);
    if (outcome.state === "later" || outcome.state === "pin") return { ...outcome, last };
    letGo(entry);
    if (outcome.state === "ask") {
      ask(entry);
      return { ...outcome, last };
    }
    last = { entry, next: outcome.next };
  }
  return { state: "sent", last };
}

// Sends everything that is kept, the oldest first; of two tabs, one at a time.
export function sendKept() {
  if (!navigator.locks) return sendInOrder();
  return navigator.locks.request("kept-answers", sendInOrder);
}

export function say(text) {
  if (!notice) return;
  notice.hidden = !text;
  if (notice.textContent !== text) notice.textContent = text;
}

export function sayHowMany() {
  const n = kept().length;
  if (n) say(n === 1 ? words.one : words.many.replace("%s", n));
  return n;
}

export function askForPin() {
  location.assign(`${words.pin}?next=${encodeURIComponent(location.pathname)}`);
}

// Called with where to go on once everything is sent; a page that asks a question sets its own.
let goOn = () => say(words.sent);
export function whenSent(callback) {
  goOn = callback;
}

async function deliver() {
  if (!kept().length) return;
  const { state, last } = await sendKept();
  if (state === "pin") return askForPin();
  if (state === "sent") return goOn(last);
  sayHowMany();
}

async function leave(event) {
  if (!kept().length) return;
  event.preventDefault();
  const { state } = await sendKept();
  if (state === "sent") event.target.submit();
  else if (state === "later") say(words.stay);
}

async function watch() {
  await deliver();
  setTimeout(watch, EVERY_MS);
}

if (notice) {
  dropWhatIsNotTheirs();
  document.querySelector("form[data-leaves]")?.addEventListener("submit", leave);
  addEventListener("online", deliver);
  watch();
  navigator.serviceWorker?.register(words.worker).then((found) => found.update()).catch(() => {});
}
