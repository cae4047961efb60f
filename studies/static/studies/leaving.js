// Signed out: nothing stays on this phone. Browsers that know Clear-Site-Data did this already.

for (const slot of Object.keys(localStorage)) {
  if (slot.startsWith("kept:") || slot.startsWith("heard:")) localStorage.removeItem(slot);
}
if ("caches" in window) {
  for (const name of await caches.keys()) await caches.delete(name);
}
for (const found of (await navigator.serviceWorker?.getRegistrations()) ?? []) {
  await found.unregister();
}
