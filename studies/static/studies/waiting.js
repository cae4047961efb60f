// Follows tonight's mix on its way; without this module the page reloads itself every ten seconds.

const EVERY_MS = 3000;
const box = document.getElementById("waiting");
const bar = box.querySelector("progress");
const stage = box.querySelector("[data-stage]");
const remaining = document.querySelector("[data-remaining]");

async function ask() {
  const answer = await fetch(box.dataset.status, { headers: { Accept: "application/json" } });
  if (answer.status === 403) return location.reload();
  const night = await answer.json();
  if (night.is_final) return location.reload();
  bar.value = night.percent;
  if (stage.textContent !== night.stage) stage.textContent = night.stage;
  remaining.textContent = night.remaining;
}

async function follow() {
  try {
    if (!document.hidden) await ask();
  } catch {
    // Offline for a moment: the next question will tell.
  }
  setTimeout(follow, EVERY_MS);
}

setTimeout(follow, EVERY_MS);
