// What was heard and could not be reported yet is kept on this phone until a page is opened online.
//
// A night may end without a connection: the report lies in localStorage under the player's own key
// until the server has it. It belongs to one person, goes with signing out, and is never kept longer
// than a week. The server makes the union of all reports, so one that arrives twice changes nothing.

const PREFIX = "heard:";
const WEEK_MS = 7 * 24 * 3600 * 1000;
const REFUSED = [400, 404];

function bodyOf(report) {
  const body = new FormData();
  for (const name of ["night", "client_id", "intervals"]) body.set(name, report[name]);
  body.set("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  return body;
}

function keep(report) {
  const text = JSON.stringify({ ...report, at: Date.now() });
  try {
    localStorage.setItem(PREFIX + report.client_id, text);
  } catch {
    // A full or forbidden store: the next report carries everything again.
  }
  return text;
}

// Meanwhile a longer report may lie in its place, which is still to be sent.
function letGo(slot, text) {
  if (localStorage.getItem(slot) === text) localStorage.removeItem(slot);
}

// Sends a report, and lets go of it when the server has it or will never take it.
export async function send(report) {
  const text = keep(report);
  try {
    const answer = await fetch(report.url, { method: "POST", body: bodyOf(report), keepalive: true });
    if (answer.ok || REFUSED.includes(answer.status)) {
      letGo(PREFIX + report.client_id, text);
    }
  } catch {
    // No connection: the next report, or the next page, sends it.
  }
}

// Sends a report while the page goes away. Nobody learns whether it arrived, so it stays kept.
export function sendLast(report) {
  keep(report);
  navigator.sendBeacon?.(report.url, bodyOf(report));
}

function sendKept() {
  const person = document.getElementById("kept")?.dataset.person;
  for (const slot of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const report = JSON.parse(localStorage.getItem(slot));
    if (Date.now() - report.at > WEEK_MS || (person && report.person !== person)) {
      localStorage.removeItem(slot);
    } else if (person) {
      send(report);
    }
  }
}

sendKept();
addEventListener("online", sendKept);
