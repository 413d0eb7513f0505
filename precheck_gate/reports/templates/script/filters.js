/* Filters. The page's address holds them, so that a reader can share a view. */
const inputs = { text: byId("f-text"), verdict: byId("f-verdict"), effect: byId("f-effect"), status: byId("f-status"), group: byId("f-group"), known: byId("f-known") };
const rows = new Map();
const columns = [...document.querySelectorAll(".turned span")].map((heading) => heading.textContent);
let wanted = null;
const MANY = 100; // details to open at once

const fill = (select, values, spoken) => {
  for (const value of values) select.append(el("option", { value }, spoken ? spoken[value] : value));
};
const fillFilters = () => {
  const all = new Set();
  for (const task of tasks) for (const one of task.findings) all.add(one);
  const values = (of) => [...new Set([...all].map(of))].filter(Boolean).sort();
  fill(inputs.verdict, Object.keys(styles).reverse().filter((verdict) => tasks.some((task) => task.verdict === verdict)), labels);
  fill(inputs.effect, ["block", "warn", "allow"], { block: "blocks", warn: "warns", allow: "allowed" });
  fill(inputs.status, values((one) => one.status));
  fill(inputs.group, values((one) => one.place));
  byId("f-known-label").hidden = ![...all].some((one) => one.known);
};

const readFilters = () => {
  const words = inputs.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const { verdict, effect, status, group, known } = inputs;
  wanted = { words, verdict: verdict.value, effect: effect.value, status: status.value, group: group.value, known: known.value };
  wanted.narrow = Boolean(words.length || wanted.effect || wanted.status || wanted.group || wanted.known);
};
const matches = (task, one) => {
  if (wanted.effect && one.effect !== wanted.effect) return false;
  if (wanted.status && one.status !== wanted.status) return false;
  if (wanted.group && one.place !== wanted.group) return false;
  if (wanted.known && (one.effect === "allow" || Boolean(one.known) !== (wanted.known === "known"))) return false;
  const whose = `${task.id}\n${task.name}`.toLowerCase();
  return wanted.words.every((word) => whose.includes(word) || searchable(one).includes(word));
};
const matching = (task) => (wanted.narrow ? task.findings.filter((one) => matches(task, one)) : task.findings);

const applyFilters = () => {
  readFilters();
  let seenTasks = 0;
  let seenItems = 0;
  for (const task of tasks) {
    const row = rows.get(task.index);
    const found = !wanted.verdict || task.verdict === wanted.verdict ? matching(task) : [];
    const shows = found.length > 0;
    seenTasks += shows;
    seenItems += found.reduce((sum, one) => sum + !one.own, 0);
    if (row.node.hidden === shows) row.node.hidden = !shows;
    if (shows) {
      const places = wanted.narrow ? new Set(found.map((one) => one.place)) : null;
      row.cells.forEach((cell, at) => cell.classList.toggle("faint", places !== null && !places.has(columns[at])));
    }
    if (row.detail) {
      row.detail.hidden = !shows || !row.open;
      if (row.open && shows) renderDetail(row, task, found);
    }
  }
  byId("open-all").textContent = seenTasks > MANY ? `Open the first ${MANY}` : "Open all";
  const all = seenTasks === tasks.length && !wanted.narrow;
  byId("shown").textContent = all
    ? `${plural(tasks.length, "task")}, ${plural(seenItems, "item")}`
    : `${seenTasks} of ${plural(tasks.length, "task")}, ${plural(seenItems, "item")} that match${seenItems === 1 ? "es" : ""}`;
};

const keepFilters = () => {
  const kept = new URLSearchParams();
  for (const [name, input] of Object.entries(inputs)) if (input.value) kept.set(name, input.value);
  const address = location.href.split("#", 1)[0] + (kept.size ? `#?${kept}` : "");
  // A page inside another one may have no address of its own.
  try { history.replaceState(null, "", address); } catch { /* not kept */ }
};
const restoreFilters = (kept) => {
  for (const [name, input] of Object.entries(inputs)) {
    input.value = kept.get(name) || "";
    if (input.selectedIndex === -1) input.value = "";
  }
  applyFilters();
};
