// The map: where in the city the trouble is. Marks are buttons made from what the server gathered; the ground is either
// the city's own tile style, where one is set, or plain, with a dot wherever a facility stands.
import { Map as Ground, Marker, NavigationControl, setWorkerUrl } from "/static/vendor/maplibre/maplibre-gl.mjs";

const box = document.getElementById("map");
const EVERY = 10000; // ms
const CLOSEST = 18; // zoom
const PLAIN = { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#e8edf0" } }] };

setWorkerUrl("/static/vendor/maplibre/maplibre-gl-worker.mjs");

function bounds(points) {
  const [lons, lats] = [points.map((point) => point[0]), points.map((point) => point[1])];
  const edge = (pick, numbers) => numbers.reduce((a, b) => pick(a, b));
  return [[edge(Math.min, lons), edge(Math.min, lats)], [edge(Math.max, lons), edge(Math.max, lats)]];
}

function mark(map, place) {
  const button = document.createElement("button");
  const many = place.facilities > 1;
  button.type = "button";
  button.className = `spot s${place.severity}${place.facilities > 99 ? " crowd" : many ? " many" : ""}`;
  button.textContent = many ? String(place.facilities) : "";
  const said = many ? `${place.facilities} ${box.dataset.word}` : place.name;
  button.title = said;
  button.setAttribute("aria-label", said);
  button.dataset.device = place.device_id;
  button.addEventListener("click", () => {
    if (many && map.getZoom() < CLOSEST - 1) map.easeTo({ center: [place.lon, place.lat], zoom: map.getZoom() + 2 });
    else location.assign(`/devices/${encodeURIComponent(place.device_id)}`);
  });
  return new Marker({ element: button }).setLngLat([place.lon, place.lat]).addTo(map);
}

async function draw(map, marks) {
  const { _sw: low, _ne: high } = map.getBounds();
  const address = new URL(box.dataset.places, location.href);
  address.searchParams.set("box", [low.lng, low.lat, high.lng, high.lat].map((each) => each.toFixed(6)).join(","));
  address.searchParams.set("zoom", map.getZoom().toFixed(2));
  const answer = await fetch(address, { redirect: "manual" });
  if (!answer.ok) return;
  const places = await answer.json();
  for (const old of marks.splice(0)) old.remove();
  marks.push(...places.map((place) => mark(map, place)));
  box.dataset.marks = String(marks.length);
}

async function show() {
  const ground = await (await fetch("/desk/ground")).json();
  const points = ground.coordinates;
  const start = points.length ? { bounds: bounds(points), fitBoundsOptions: { padding: 40, maxZoom: 16 } } : {};
  const map = new Ground({ container: box, style: box.dataset.style || PLAIN, maxZoom: CLOSEST, attributionControl: false, locale: { "Map.Title": box.dataset.title, "NavigationControl.ZoomIn": box.dataset.closer, "NavigationControl.ZoomOut": box.dataset.farther }, dragRotate: false, ...start });
  const marks = [];
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.on("load", () => {
    map.addSource("facilities", { type: "geojson", data: ground });
    map.addLayer({ id: "facilities", type: "circle", source: "facilities", paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 1, 16, 3], "circle-color": "#9fb1bb" } });
  });
  let drawing = null;
  const again = () => {
    clearTimeout(drawing);
    drawing = setTimeout(() => draw(map, marks).catch(() => {}), 150);
  };
  map.on("moveend", again);
  again();
  setInterval(again, EVERY);
}

try {
  await show();
} catch (problem) {
  box.hidden = true;
  document.getElementById("no-map").hidden = false;
  console.info(`map: ${problem.message}`);
}
