// What a crew has done and the centre may not know yet: kept on the phone, sent in the order of pressing, each once.
// Pages and the service worker share this file. An action has a key of its own, so that sending it again is harmless.
"use strict";

const crewQueue = (() => {
  const NAME = "cityward-crew";
  const PATIENCE_MS = 60000;
  const LATER = new Set([408, 425, 429]);

  function stored(request) {
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }

  async function actions(mode, use) {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("actions", { keyPath: "order", autoIncrement: true });
    const database = await stored(opening);
    try {
      const transaction = database.transaction("actions", mode);
      const written = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = transaction.onerror = () => reject(transaction.error);
      });
      const result = await stored(use(transaction.objectStore("actions")));
      await written;
      return result;
    } finally {
      database.close();
    }
  }

  const all = () => actions("readonly", (store) => store.getAll());
  const add = (action) => actions("readwrite", (store) => store.add(action));
  const change = (action) => actions("readwrite", (store) => store.put(action));
  const remove = (action) => actions("readwrite", (store) => store.delete(action.order));

  // A UUID; crypto.randomUUID is missing where the console is reached without https.
  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function ask(path, options) {
    const headers = { Accept: "application/json", ...options.headers };
    return fetch(path, { cache: "no-store", ...options, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  function body(action) {
    const form = new FormData();
    form.set("key", action.key);
    form.set("happened", action.happened);
    for (const [name, value] of Object.entries(action.fields)) form.set(name, value);
    if (action.photo) form.set("photo", new Blob([action.photo], { type: "image/jpeg" }), "photo.jpg");
    return form;
  }

  // One after the other, and one sender at a time: "sent", "offline" (no network), "busy" (the centre is away), "over".
  async function sendAll(heard) {
    let session;
    for (const action of await all()) {
      if (action.refused !== undefined) continue;
      let answer;
      try {
        if (!session) {
          answer = await ask("/crew/state", {});
          if (answer.status === 401) return "over";
          if (!answer.ok) return "busy";
          session = await answer.json();
          heard?.(session);
        }
        if (action.whose !== session.whose) continue;
        answer = await ask(action.path, { method: "POST", body: body(action), headers: { "X-Cityward-Token": session.token } });
      } catch {
        return "offline";
      }
      if (answer.ok) await remove(action);
      else if (answer.status === 401) return "over";
      else if (answer.status >= 500 || LATER.has(answer.status)) return "busy";
      else await change({ ...action, refused: await why(answer) });
    }
    return "sent";
  }

  async function why(answer) {
    try {
      return (await answer.json()).detail;
    } catch {
      return `${answer.status}`;
    }
  }

  function send(heard) {
    // Without https there are no locks; two senders at once are harmless then too, the keys see to it.
    return navigator.locks ? navigator.locks.request(NAME, () => sendAll(heard)) : sendAll(heard);
  }

  return { all, add, remove, newKey, send };
})();
