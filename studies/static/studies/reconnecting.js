// The page without a connection goes on by itself when there is one again.

const EVERY_MS = 5000;

async function look() {
  try {
    await fetch("/me/offline/", { cache: "no-store", method: "HEAD" });
    location.replace("/me/");
  } catch {
    setTimeout(look, EVERY_MS);
  }
}

addEventListener("online", look);
setTimeout(look, EVERY_MS);
