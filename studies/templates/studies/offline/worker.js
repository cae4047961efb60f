// Keeps the page that says "no connection", and the files that it and the questions need. Pages of a
// person are never kept. A change of any kept file changes VERSION, and so this worker.

const VERSION = "{{ version }}";
const PREFIX = "shell-";
const CACHE = PREFIX + VERSION;
const OFFLINE = "{% url 'studies:offline' %}";
const SHELL = {{ shell|safe }};

async function fill() {
  const shell = await caches.open(CACHE);
  // Fresh, and without cookies: what is kept is the same for everybody.
  const fresh = { cache: "reload", credentials: "omit" };
  await shell.addAll([OFFLINE, ...SHELL].map((path) => new Request(path, fresh)));
}

async function dropOlder() {
  const names = await caches.keys();
  const older = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(older.map((name) => caches.delete(name)));
}

async function netFirst(request, kept) {
  try {
    return await fetch(request);
  } catch (error) {
    const shell = await caches.open(CACHE);
    const found = await shell.match(kept);
    if (found) return found;
    throw error;
  }
}

self.addEventListener("install", (event) => {
  event.waitUntil(fill());
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOlder().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(netFirst(request, OFFLINE));
  else if (request.method === "GET" && SHELL.includes(pathname)) {
    event.respondWith(netFirst(request, pathname));
  }
});
