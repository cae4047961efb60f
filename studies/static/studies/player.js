// Tonight's player. The fade is part of the file, so nothing here has to run while the phone is
// locked: without this module the browser's own controls play the same night.

const SEND_EVERY_S = 30;
const SKIP_S = 30;
// A step of media time longer than this was a seek, not listening.
const STEP_AT_MOST_S = 2;

const box = document.getElementById("player");
const audio = box.querySelector("audio");
const button = box.querySelector("button");
const left = document.getElementById("left");

const heard = new Map(); // start of a stretch -> its end, both in seconds of the file
let stretch = null;
let position = 0;
let sentAt = 0;

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
  const form = new FormData();
  const round = (seconds) => Math.round(seconds * 10) / 10;
  const pairs = [...heard].map(([start, end]) => [round(start), round(end)]);
  form.set("night", box.dataset.night);
  form.set("client_id", clientId);
  form.set("intervals", JSON.stringify(pairs.filter(([start, end]) => end > start).slice(-200)));
  form.set("csrfmiddlewaretoken", box.querySelector("[name=csrfmiddlewaretoken]").value);
  return form;
}

function send({ isLast = false } = {}) {
  listen();
  if (heard.size === 0) return;
  sentAt = audio.currentTime;
  if (isLast && navigator.sendBeacon) {
    navigator.sendBeacon(box.dataset.heard, report());
    return;
  }
  const request = { method: "POST", body: report(), keepalive: true };
  fetch(box.dataset.heard, request).catch(() => {}); // the next report carries it again
}

function showTimeLeft() {
  if (!Number.isFinite(audio.duration)) return;
  const minutes = Math.round((audio.duration - audio.currentTime) / 60);
  const few = [box.dataset.last, box.dataset.one];
  const words = few[minutes] ?? box.dataset.left.replace("%s", minutes);
  if (left.textContent !== words) left.textContent = words;
}

function showState() {
  const isPlaying = !audio.paused && !audio.ended;
  button.setAttribute("aria-pressed", String(isPlaying));
  button.setAttribute("aria-label", isPlaying ? box.dataset.pause : box.dataset.play);
  if ("mediaSession" in navigator) {
    navigator.mediaSession.playbackState = isPlaying ? "playing" : "paused";
  }
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
    play: () => audio.play(),
    pause: () => audio.pause(),
    stop: () => audio.pause(),
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

button.addEventListener("click", () => (audio.paused ? audio.play() : audio.pause()));
for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, showState);
audio.addEventListener("play", () => {
  position = audio.currentTime;
  stretch = null;
});
audio.addEventListener("timeupdate", () => {
  listen();
  showTimeLeft();
  if (Math.abs(audio.currentTime - sentAt) >= SEND_EVERY_S) send();
});
audio.addEventListener("pause", () => send());
audio.addEventListener("ended", () => {
  send();
  left.textContent = box.dataset.end;
});
addEventListener("pagehide", () => send({ isLast: true }));
