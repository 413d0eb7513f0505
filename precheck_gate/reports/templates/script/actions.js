/* What a reader does. */
const upgradeRows = () => {
  for (const node of document.querySelectorAll("tr.row")) {
    const task = tasks[Number(node.dataset.i)];
    const code = node.querySelector("th code");
    const button = el("button", { type: "button", class: "open-task", "aria-expanded": "false" });
    code.replaceWith(button);
    button.append(code);
    const row = { node, task, button, cells: [...node.querySelectorAll(".cell")], detail: null, open: false };
    rows.set(task.index, row);
    node.addEventListener("click", () => { if (!String(getSelection())) setOpen(row, !row.open); });
  }
  document.querySelector(".tasks tbody").addEventListener("mouseover", (event) => {
    const cell = event.target.closest(".row .cell");
    if (cell && !cell.title && cell.firstChild) cell.title = describeCell(cell);
  });
};
const describeCell = (cell) => {
  const row = rows.get(Number(cell.parentNode.dataset.i));
  const place = columns[row.cells.indexOf(cell)];
  const numbers = { block: 0, warn: 0, allow: 0 };
  for (const one of row.task.findings) if (one.place === place) numbers[one.effect] += 1;
  const counts = [[numbers.block, "blocking"], [numbers.warn, "warning"], [numbers.allow, "allowed"]];
  return `${place}: ${counts.filter(([number]) => number).map(([number, word]) => `${number} ${word}`).join(", ")}`;
};

// In the order of the table: the worst first.
const shownRows = () => [...rows.values()].filter((row) => !row.node.hidden);
const openAll = () => { for (const row of shownRows().slice(0, MANY)) if (!row.open) setOpen(row, true); };
const closeAll = () => { for (const row of rows.values()) if (row.open) setOpen(row, false); };

/* An address names filters, or a task by its ID or by the number of its row. */
const followAddress = () => {
  const named = location.hash.slice(1);
  if (!named || named.startsWith("?")) {
    restoreFilters(new URLSearchParams(named));
    if (!named) return;
    byId("task-section").scrollIntoView();
    byId("tasks").focus({ preventScroll: true });
    return;
  }
  const task = named && tasks.find((one) => encodeURIComponent(one.id) === named || one.id === named || `t${one.index}` === named);
  if (!task) return;
  const row = rows.get(task.index);
  if (row.node.hidden) restoreFilters(new URLSearchParams());
  setOpen(row, true);
  row.node.scrollIntoView();
  row.button.focus({ preventScroll: true });
};

const listen = () => {
  const form = document.querySelector(".filters");
  let waiting = 0;
  const later = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { applyFilters(); keepFilters(); });
  };
  form.addEventListener("input", later);
  form.addEventListener("reset", later);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", followAddress);
  for (const link of document.querySelectorAll("a[data-verdict]")) link.hash = `?verdict=${link.dataset.verdict}`;
  // A link to the current address changes nothing, so follow it by hand.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) followAddress();
  });
  byId("open-all").addEventListener("click", openAll);
  byId("close-all").addEventListener("click", closeAll);
};
const preparePrint = () => {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = shownRows().filter((row) => !row.open && !/^passed/.test(row.task.verdict)).slice(0, 50);
    for (const row of opened) setOpen(row, true);
    for (const more of document.querySelectorAll("details.more")) more.open = true;
  });
  addEventListener("afterprint", () => { for (const row of opened) setOpen(row, false); });
};
