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
  // A page that asks hears whose it is and the centre's time, whether anything waits or not.
  async function sendAll(heard) {
    const waiting = (await all()).filter((action) => action.refused === undefined);
    if (!waiting.length && !heard) return "sent";
    try {
      const state = await ask("/crew/state", {});
      if (!state.ok) return state.status === 401 ? "over" : "busy";
      const session = await state.json();
      heard?.(session);
      for (const action of waiting) {
        const stopped = action.whose === session.whose ? await sendOne(action, session) : null;
        if (stopped) return stopped;
      }
    } catch {
      return "offline";
    }
    return "sent";
  }

  // Nothing where the action is done or refused, else why no other can be sent now either.
  async function sendOne(action, session) {
    const answer = await ask(action.path, { method: "POST", body: body(action), headers: { "X-Cityward-Token": session.token } });
    if (answer.ok) return void (await remove(action));
    if (answer.status === 401) return "over";
    if (answer.status >= 500 || LATER.has(answer.status)) return "busy";
    const said = await answer.json().catch(() => ({}));
    if (said.type === "/api/#page_too_old") return "busy"; // another link was opened meanwhile: its token comes with the next state
    await change({ ...action, refused: said.detail ?? `${answer.status}` });
    return null;
  }

  function send(heard) {
    // Without https there are no locks; two senders at once are harmless then too, the keys see to it.
    return navigator.locks ? navigator.locks.request(NAME, () => sendAll(heard)) : sendAll(heard);
  }

  return { all, add, remove, newKey, send };
})();
