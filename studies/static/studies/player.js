// Tonight's player. The fade is part of the file, so nothing here has to run while the phone is
// locked: without this module the browser's own controls play the same night.

import { send as sendReport, sendLast } from "./heard.js";

const SEND_EVERY_S = 30;
const SKIP_S = 30;
// A step of media time longer than this was a seek, not listening.
const STEP_AT_MOST_S = 2;
// After a longer silence somebody may be asleep, whom music that begins by itself would wake.
const SILENCE_AT_MOST_MS = 120_000;
const SWELL_MS = 8000;
const SWELL_STEP_MS = 100;
const TRY_AFTER_MS = 3000;
const TRY_AT_MOST_EVERY_MS = 60_000;

const box = document.getElementById("player");
const audio = box.querySelector("audio");
const button = box.querySelector("button");
const left = document.getElementById("left");

const heard = new Map(); // start of a stretch -> its end, both in seconds of the file
let stretch = null;
let position = 0;
let sentAt = 0;
let isWanted = false; // somebody pressed Play, and nobody has paused since
let lost = null; // while there is no connection: where the music stopped, since when, tries so far

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

const clientId = newId();

function listen() {
  const now = audio.currentTime;
  const step = now - position;
  if (!audio.paused && step > 0 && step <= STEP_AT_MOST_S) {
    stretch ??= position;
    heard.set(stretch, now);
  } else if (step !== 0) {
    stretch = null;
  }
  position = now;
}

// Everything heard since the page opened: the server makes the union, so a lost report, or one
// that arrives twice, changes nothing.
function report() {
  const round = (seconds) => Math.round(seconds * 10) / 10;
  const pairs = [...heard].map(([start, end]) => [round(start), round(end)]);
  return {
    url: box.dataset.heard,
    person: document.getElementById("kept")?.dataset.person,
    night: box.dataset.night,
    client_id: clientId,
    intervals: JSON.stringify(pairs.filter(([start, end]) => end > start).slice(-200)),
  };
}

function send({ isLast = false } = {}) {
  listen();
  if (heard.size === 0) return;
  sentAt = audio.currentTime;
  if (isLast) sendLast(report());
  else sendReport(report());
}

function showTimeLeft() {
  if (!Number.isFinite(audio.duration)) return;
  const minutes = Math.round((audio.duration - audio.currentTime) / 60);
  const few = [box.dataset.last, box.dataset.one];
  const words = few[minutes] ?? box.dataset.left.replace("%s", minutes);
  if (left.textContent !== words) left.textContent = words;
}

function showState() {
  const isPlaying = lost ? isWanted : !audio.paused && !audio.ended;
  button.setAttribute("aria-pressed", String(isPlaying));
  button.setAttribute("aria-label", isPlaying ? box.dataset.pause : box.dataset.play);
  if ("mediaSession" in navigator) {
    navigator.mediaSession.playbackState = isPlaying ? "playing" : "paused";
  }
}

function start() {
  isWanted = true;
  if (!lost) return audio.play();
  lost.since = Date.now();
  showState();
  return comeBack();
}

function stop() {
  isWanted = false;
  audio.pause();
  showState();
}

// What is buffered plays on without a connection, and the browser tries for half a minute; then the
// element gives up for good, and has to be loaded anew.
function lose() {
  lost ??= { at: audio.currentTime, since: Date.now(), tries: 0 };
  left.textContent = box.dataset.lost;
  const rest = Math.min(TRY_AFTER_MS * 2 ** lost.tries++, TRY_AT_MOST_EVERY_MS);
  setTimeout(comeBack, rest);
}

async function comeBack() {
  const before = lost;
  if (!before || before.isAsking) return;
  before.isAsking = true;
  try {
    const answer = await fetch(audio.src, { method: "HEAD", cache: "no-store" });
    if (answer.status >= 500) throw new Error(answer.statusText);
    // Signed out, or another night by now: the page says so.
    if (!answer.ok) return location.reload();
    audio.load();
    audio.currentTime = before.at;
  } catch {
    lose();
  } finally {
    before.isAsking = false;
  }
}

function goOn() {
  if (!lost) return;
  const silence = Date.now() - lost.since;
  position = lost.at;
  lost = null;
  isWanted &&= silence <= SILENCE_AT_MOST_MS;
  if (isWanted) swell();
  showTimeLeft();
  showState();
}

// Comes in softly where volume can be set at all (not on an iPhone).
function swell() {
  const began = Date.now();
  audio.volume = 0;
  audio.play().catch(showState);
  const step = setInterval(() => {
    audio.volume = Math.min(1, (Date.now() - began) / SWELL_MS);
    if (audio.volume === 1) clearInterval(step);
  }, SWELL_STEP_MS);
}

function seekBy(seconds) {
  audio.currentTime = Math.min(Math.max(0, audio.currentTime + seconds), audio.duration || 0);
}

function takeLockScreen() {
  if (navigator.audioSession) navigator.audioSession.type = "playback";
  if (!("mediaSession" in navigator)) return;
  const artwork = [{ src: box.dataset.artwork, sizes: "512x512", type: "image/png" }];
  const { title, artist } = box.dataset;
  navigator.mediaSession.metadata = new MediaMetadata({ title, artist, artwork });
  const actions = {
    play: start,
    pause: stop,
    stop,
    seekbackward: () => seekBy(-SKIP_S),
    seekforward: () => seekBy(SKIP_S),
  };
  for (const [action, handler] of Object.entries(actions)) {
    try {
      navigator.mediaSession.setActionHandler(action, handler);
    } catch {
      // An older browser does not know this action; the others still work.
    }
  }
}

audio.removeAttribute("controls");
button.hidden = false;
takeLockScreen();

button.addEventListener("click", () => (isWanted ? stop() : start()));
for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, showState);
audio.addEventListener("error", lose);
audio.addEventListener("loadedmetadata", goOn);
addEventListener("online", comeBack);
audio.addEventListener("play", () => {
  isWanted = true;
  position = audio.currentTime;
  stretch = null;
});
audio.addEventListener("timeupdate", () => {
  // An element that is loaded anew says 0 at first.
  if (lost) return;
  listen();
  showTimeLeft();
  if (Math.abs(audio.currentTime - sentAt) >= SEND_EVERY_S) send();
});
audio.addEventListener("pause", () => {
  // A call, or headphones that were pulled out: whoever paused, nothing begins again by itself.
  if (!lost) isWanted = false;
  send();
});
audio.addEventListener("ended", () => {
  send();
  left.textContent = box.dataset.end;
});
addEventListener("pagehide", () => send({ isLast: true }));
