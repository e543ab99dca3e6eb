// Shows the crew's pages without a network, and sends what was kept once there is one again.
// The line above this file, which the console writes, names the version and the files that are kept.
"use strict";

importScripts("/static/crew_queue.js");

const FILES = `crew-files-${VERSION}`;
const PAGES = "crew-pages";
const PHOTOS = "crew-photos";
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(FILES).then((cache) => cache.addAll(KEPT)));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("crew-files-") && name !== FILES);
    await Promise.all(old.map((name) => caches.delete(name)));
    await self.clients.claim();
  })());
});

self.addEventListener("sync", (event) => {
  event.waitUntil((async () => {
    await crewQueue.send();
    for (const page of await self.clients.matchAll()) page.postMessage("sent");
  })());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (KEPT.includes(url.pathname)) event.respondWith(fromCacheFirst(FILES, event.request));
  else if (/^\/crew\/\d+\/photos\//.test(url.pathname)) event.respondWith(fromCacheFirst(PHOTOS, event.request));
  else if (/^\/crew(\/\d+)?$/.test(url.pathname)) event.respondWith(fromNetworkFirst(event));
});

async function fromCacheFirst(name, request) {
  const cache = await caches.open(name);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

// A page as it is now; as it was, where the network is away or takes too long to say.
async function fromNetworkFirst(event) {
  const cache = await caches.open(PAGES);
  const kept = await cache.match(event.request);
  const asked = fetch(event.request).then(async (answer) => {
    if (answer.ok && !answer.redirected) await cache.put(event.request, answer.clone());
    else if (answer.status === 403 || answer.status === 404) await cache.delete(event.request);
    return answer;
  });
  if (!kept) return asked;
  event.waitUntil(asked.catch(() => undefined));
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, undefined));
  return Promise.race([asked.catch(() => undefined), late]).then((answer) => (answer && answer.status < 500 ? answer : kept));
}
