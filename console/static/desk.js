// The desk in the browser: parts that stay up to date, the keyboard, dialogs. Without it every link and form still works.
const EVERY = 3000; // ms between two questions
const PATIENCE = 10000; // ms without an answer: the connection is lost

const live = document.getElementById("live");
const lost = document.getElementById("lost");
let tag = "";
let here = "";

// What a key does to the marked rows, or to the one pointed at where none is marked.
function act(key) {
  const button = document.querySelector(`#marked [data-key="${key}"]`);
  if (!button) return;
  if (!document.querySelector("#live tbody input:checked")) document.querySelector("tr.here input[type=checkbox]")?.click();
  if (document.querySelector("#live tbody input:checked")) button.click();
}

function openDialog(name) {
  const dialog = document.getElementById(name);
  const fields = dialog.querySelector("fieldset");
  fields.disabled = false;
  dialog.addEventListener("close", () => (fields.disabled = true), { once: true });
  dialog.showModal();
}

const rows = () => [...document.querySelectorAll("#live tr[data-key]")];

function point(row, { scroll = true } = {}) {
  document.querySelector("tr.here")?.classList.remove("here");
  here = row ? row.dataset.key : "";
  if (!row) return;
  row.classList.add("here");
  if (scroll) row.scrollIntoView({ block: "nearest" });
  document.dispatchEvent(new CustomEvent("cityward:here", { detail: row.dataset.device }));
}

function move(by) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.key === here);
  point(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function swap(html) {
  const marked = new Set([...live.querySelectorAll("input:checked")].map((box) => box.value));
  const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const state = live.querySelector("[data-state]")?.dataset.state;
  live.innerHTML = html;
  const moved = document.getElementById("moved");
  if (moved && state !== live.querySelector("[data-state]")?.dataset.state) moved.hidden = false;
  for (const box of live.querySelectorAll("input[type=checkbox]")) box.checked = marked.has(box.value);
  if (focused) live.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  const again = rows().find((row) => row.dataset.key === here);
  if (again) again.classList.add("here");
  document.dispatchEvent(new CustomEvent("cityward:news"));
}

async function ask() {
  try {
    const answer = await fetch(live.dataset.live, {
      headers: tag ? { "If-None-Match": tag } : {},
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.type === "opaqueredirect") return void location.reload(); // the session is over
    if (answer.status !== 304 && !answer.ok) throw new Error(answer.status);
    if (answer.ok) {
      tag = answer.headers.get("ETag") ?? "";
      swap(await answer.text());
    }
    lost.hidden = true;
  } catch {
    lost.hidden = false;
  } finally {
    setTimeout(ask, document.hidden ? 5 * EVERY : EVERY);
  }
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  Enter: () => document.querySelector("tr.here a.open")?.click(),
  x: () => document.querySelector("tr.here input[type=checkbox]")?.click(),
  a: () => act("a"),
  s: () => act("s"),
  g: () => act("g"),
  "/": () => {
    const field = document.querySelector("#filters [name=text]");
    if (!field) return;
    field.closest("details").open = true;
    field.focus();
  },
  "?": () => document.getElementById("help")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  const reaction = KEYS[event.key];
  if (reaction) {
    event.preventDefault();
    reaction();
  }
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener && document.querySelector("#live tbody input:checked")) openDialog(opener.dataset.opens);
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  if (event.target.matches("[data-all]")) for (const box of document.querySelectorAll("#live tbody input[type=checkbox]")) box.checked = event.target.checked;
});

live?.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-key]");
  if (row) point(row, { scroll: false });
});

if (live) setTimeout(ask, EVERY);
