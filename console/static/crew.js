// The crew's page: what is pressed is kept first and sent then; what is kept, and what was refused, is shown.
"use strict";

(() => {
  const LONGEST_SIDE = 1600; // pixels of a photo
  const QUALITY = 0.8;
  const AGAIN_MS = 15000;
  const RELOAD_MS = 30000;
  const words = JSON.parse(document.querySelector("meta[name=words]").content);
  const moves = JSON.parse(document.querySelector("meta[name=moves]").content);
  const whose = document.body.dataset.whose;
  let here = null;
  let sending = null;
  let again = false;
  let reloads = 0;
  const pressed = new WeakSet();
  const undrawn = new Set(); // keys of what was kept, and that no page has shown as done or refused yet

  const main = () => document.querySelector("main");
  const say = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // --- what is kept ---------------------------------------------------------------------------------------------

  // The centre's time as far as this phone knows it: its own clock may be wrong.
  function now() {
    return new Date(Date.now() + Number(localStorage.getItem("crew-clock") ?? 0));
  }

  function heard(session) {
    localStorage.setItem("crew-clock", String(session.now - Date.now()));
    count();
    age();
  }

  async function keep(path, number, label, fields, photo) {
    const key = crewQueue.newKey();
    await crewQueue.add({ key, happened: now().toISOString(), whose, path, number, label, fields, photo });
    undrawn.add(key);
  }

  const NOT_KEPT = ["token", "key"]; // what is kept has a key of its own, and goes with the token of when it is sent

  async function press(form) {
    const number = main().dataset.number;
    const fields = {};
    const files = [];
    for (const [name, value] of new FormData(form)) {
      if (value instanceof File) {
        if (value.size) files.push(value);
      } else if (!NOT_KEPT.includes(name)) fields[name] = value;
    }
    try {
      if (files.length) tell("preparing");
      const photos = [];
      for (const file of files) photos.push(await smaller(file));
      for (const photo of photos) await keep(`/crew/${number}/photos`, number, words.photo, {}, photo);
      if (form.dataset.move) await keep(form.getAttribute("action"), number, words[`move_${form.dataset.move}`], fields);
    } catch (error) {
      tell(error === NOT_A_PICTURE ? "bad_photo" : "full");
      return;
    }
    tell(null);
    form.reset();
    form.querySelector("details")?.removeAttribute("open");
    await show();
  }

  const NOT_A_PICTURE = Symbol("not a picture");

  // A photo upright, small enough for a bad network, and without what a camera writes into it.
  async function smaller(file) {
    let picture;
    try {
      picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      throw NOT_A_PICTURE;
    }
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return blob.arrayBuffer();
  }

  // One sender at a time; what is pressed meanwhile is sent right after.
  function send() {
    again = true;
    sending ??= (async () => {
      let how = "sent";
      while (again) {
        again = false;
        how = await crewQueue.send(heard);
      }
      sending = null;
      tell(how === "sent" ? null : how);
      // Where the page is closed before there is a network, the worker sends.
      if (how === "offline") navigator.serviceWorker?.ready.then((worker) => worker.sync?.register("crew")).catch(() => undefined);
      await news();
    })();
    return sending;
  }

  // The page again, if anything that was kept is kept no more, or is refused.
  async function news() {
    const kept = new Map((await crewQueue.all()).map((action) => [action.key, action.refused]));
    const gone = [...undrawn].filter((key) => !kept.has(key) || kept.get(key) !== undefined);
    for (const key of gone) undrawn.delete(key);
    if (gone.length) await reload();
    await show();
  }

  // --- what is shown --------------------------------------------------------------------------------------------

  function tell(key) {
    const net = document.getElementById("net");
    net.hidden = key === null;
    net.textContent = key === null ? "" : words[key];
  }

  async function show() {
    const kept = await crewQueue.all();
    for (const action of kept) if (action.refused === undefined) undrawn.add(action.key);
    const queue = document.getElementById("queue");
    queue.hidden = !kept.length;
    queue.replaceChildren(...(kept.length ? [element("b", words.queue), list(kept)] : []));
    offer(kept);
    count();
    age();
    measure();
  }

  function list(kept) {
    const items = element("ul");
    for (const action of kept) {
      const time = new Date(action.happened).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
      const item = element("li", `${action.label} · ${action.number} · ${time} · `);
      if (action.refused === undefined) item.append(action.whose === whose || !whose ? words.waits : words.other);
      else {
        item.className = "refused";
        const button = element("button", words.dismiss);
        button.className = "quiet";
        button.addEventListener("click", () => crewQueue.remove(action).then(show));
        item.append(`${words.refused}: ${action.refused}`, button);
      }
      items.append(item);
    }
    return items;
  }

  function element(name, text = "") {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
  }

  // The buttons for the state in which the case will be once what is kept has been sent.
  function offer(kept) {
    const { page, number, delay } = main().dataset;
    if (page !== "case") return;
    let state = main().dataset.state;
    let asked = Boolean(delay);
    for (const action of kept) {
      if (action.number !== number || action.refused !== undefined) continue;
      state = moves[state][action.fields.move] ?? state;
      asked ||= action.fields.move === "request_delay";
    }
    for (const form of main().querySelectorAll("form[data-move]")) {
      const { move } = form.dataset;
      form.hidden = !(move in moves[state]) || (asked && move === "request_delay");
    }
  }

  function span(milliseconds) {
    const minutes = Math.floor(Math.abs(milliseconds) / 60000);
    if (minutes < 60) return say("minutes", { m: minutes });
    if (minutes < 2880) return say("hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
    return say("days", { d: Math.floor(minutes / 1440), h: Math.floor((minutes % 1440) / 60) });
  }

  function count() {
    for (const place of document.querySelectorAll("[data-by]")) {
      const left = new Date(place.dataset.by) - now();
      place.textContent = say(left > 0 ? "left" : "late", { span: span(left) });
      const due = place.closest(".due");
      due.classList.toggle("over", left <= 0);
      due.classList.toggle("soon", left > 0 && left <= 1800000);
      due.classList.toggle("fine", left > 1800000);
    }
  }

  function age() {
    for (const place of document.querySelectorAll("time[data-age]")) {
      place.textContent = say("ago", { span: span(now() - new Date(place.dateTime)) });
    }
  }

  function measure() {
    for (const button of document.querySelectorAll("[data-do=distance]")) button.hidden = here !== null;
    if (here === null) return;
    const radians = (degrees) => (degrees * Math.PI) / 180;
    for (const place of document.querySelectorAll("[data-lat]")) {
      const [lat, lon] = [Number(place.dataset.lat), Number(place.dataset.lon)];
      const north = Math.sin(radians(lat - here.latitude) / 2) ** 2;
      const east = Math.sin(radians(lon - here.longitude) / 2) ** 2;
      const share = north + Math.cos(radians(lat)) * Math.cos(radians(here.latitude)) * east;
      const metres = 12742000 * Math.asin(Math.sqrt(share));
      place.textContent = metres < 950 ? say("metres", { n: Math.round(metres / 10) * 10 }) : say("km", { n: (metres / 1000).toFixed(1) });
    }
  }

  function locate() {
    const found = (position) => {
      here = position.coords;
      localStorage.setItem("crew-here", "asked");
      measure();
    };
    navigator.geolocation?.watchPosition(found, () => tell("no_place"), { maximumAge: 60000 });
  }

  // --- pages as they are now ------------------------------------------------------------------------------------

  async function page(path) {
    const answer = await fetch(path, { headers: { Accept: "text/html" }, cache: "no-store" });
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  }

  // While a finger or a mouse's button is down, a promise of its going up.
  let held = null;
  let letGo = null;

  // Not while somebody is writing.
  function writing() {
    return main().querySelector("details.act[open]") !== null;
  }

  async function reload() {
    if (!["list", "case"].includes(main().dataset.page)) return;
    reloads += 1;
    const mine = reloads;
    try {
      const fresh = await page(location.href);
      while (held) await held; // a button that goes away below a finger is not pressed
      if (mine !== reloads || !fresh?.querySelector("main[data-page]")) return; // asked again since
      if (writing()) {
        Object.assign(main().dataset, fresh.querySelector("main").dataset);
        return;
      }
      const open = [...main().querySelectorAll("details")].map((each) => each.open);
      main().replaceWith(fresh.querySelector("main"));
      main().querySelectorAll("details").forEach((each, index) => { each.open = open[index] ?? false; });
      lookAhead();
    } catch {
      // No network: the page stays as it is, and says as of when that was.
    }
  }

  // The cases of the list, kept before anybody opens them; those that have left it are forgotten, with their photos.
  async function ahead() {
    if (!["list", "case"].includes(main().dataset.page) || !navigator.serviceWorker?.controller) return;
    const fresh = await page("/crew");
    if (!fresh?.querySelector("main[data-page=list]")) return;
    const known = JSON.parse(localStorage.getItem("crew-versions") ?? "{}");
    const seen = {};
    for (const link of fresh.querySelectorAll("a[data-version]")) {
      const path = link.getAttribute("href");
      const { version } = link.dataset;
      if (known[path] === version || (await page(path))) seen[path] = version;
    }
    for (const name of ["crew-pages", "crew-photos"]) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const [path] = new URL(request.url).pathname.match(/^\/crew(\/\d+)?/);
        if (path in known && !(path in seen)) await cache.delete(request);
      }
    }
    localStorage.setItem("crew-versions", JSON.stringify(seen));
  }

  const lookAhead = () => ahead().catch(() => undefined);

  // --- begin ----------------------------------------------------------------------------------------------------

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-move], [data-photos]")) return;
    event.preventDefault();
    const form = event.target;
    if (pressed.has(form)) return; // twice in a hurry is once
    pressed.add(form);
    press(form).finally(() => pressed.delete(form)).then(send);
  });
  document.addEventListener("pointerdown", () => {
    held ??= new Promise((resolve) => { letGo = resolve; });
  });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(() => { // what is clicked by it comes first
      held = null;
      letGo?.();
    }));
  }
  document.addEventListener("click", (event) => {
    if (event.target.matches("[data-do=distance]")) locate();
  });
  window.addEventListener("online", send);
  navigator.serviceWorker?.addEventListener("message", news);
  window.addEventListener("offline", () => tell("offline"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
  setInterval(async () => {
    const waits = (action) => action.refused === undefined && (!whose || action.whose === whose);
    if ((await crewQueue.all()).some(waits)) send();
  }, AGAIN_MS);
  setInterval(() => { if (!document.hidden) reload().then(show); }, RELOAD_MS);
  setInterval(() => { count(); age(); }, 10000);

  navigator.serviceWorker?.addEventListener("controllerchange", lookAhead);
  navigator.serviceWorker?.register("/crew/sw.js", { scope: "/crew" }).then(lookAhead).catch(() => undefined);
  if (localStorage.getItem("crew-here")) locate();
  // What the worker gave may be what it had kept, or older than what it has sent meanwhile.
  show().then(send).then(() => navigator.serviceWorker?.controller && reload().then(show));
})();
