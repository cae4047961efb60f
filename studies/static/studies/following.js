// Follows an analysis on its way; without this module the page has a link to look again.

const EVERY_MS = 2000;
const box = document.getElementById("following");

async function ask() {
  const answer = await fetch(box.dataset.status, { headers: { Accept: "application/json" } });
  if (!answer.ok) return location.reload();
  const run = await answer.json();
  if (run.is_final) return location.reload();
  box.querySelector("progress").value = run.percent;
  const words = box.querySelector("[data-words]");
  if (words.textContent !== run.words) words.textContent = run.words;
}

async function follow() {
  try {
    if (!document.hidden) await ask();
  } catch {
    // Offline for a moment: the next question will tell.
  }
  setTimeout(follow, EVERY_MS);
}

if (box) setTimeout(follow, EVERY_MS);
