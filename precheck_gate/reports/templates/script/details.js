/* The details of one task, made when somebody opens it. */
const setOpen = (row, open) => {
  row.open = open;
  row.button.setAttribute("aria-expanded", String(open));
  if (open && !row.detail) {
    const width = row.node.children.length;
    row.detail = el("tr", { class: "detail", id: `d${row.task.index}` }, el("td", { colspan: width }));
    row.node.after(row.detail);
    row.button.setAttribute("aria-controls", row.detail.id);
  }
  if (row.detail) row.detail.hidden = !open;
  if (open) renderDetail(row, row.task, matching(row.task));
};
const renderDetail = (row, task, found) => {
  const cell = row.detail.firstChild;
  cell.replaceChildren(taskFacts(task));
  // The findings of a finished task matter more than its progress.
  const ended = !/^(incomplete|error)$/.test(task.verdict);
  if (!ended) addChart(cell, task);
  const order = { block: [], warn: [], allow: [] };
  for (const one of found) order[one.effect].push(one);
  const hidden = task.findings.length - found.length;
  addItems(cell, "Blocking", order.block, true);
  addItems(cell, "Warnings", order.warn, order.warn.length <= 5);
  if (order.allow.length) {
    const allowed = el("details", { class: "allowed" }, el("summary", {}, `Allowed (${order.allow.length})`));
    allowed.addEventListener("toggle", () => {
      if (allowed.open && allowed.children.length === 1) allowed.append(itemList(order.allow, false));
    });
    allowed.open = wanted.narrow && order.allow.length <= 20;
    cell.append(allowed);
  }
  if (hidden) cell.append(el("p", { class: "small" }, `${hidden} more hidden by the filter.`));
  if (ended) addChart(cell, task);
};
const addChart = (cell, task) => {
  if (task.timeline.length < 2) return;
  cell.append(el("h3", {}, "Progress"), chart(task, Math.max(280, Math.min(760, cell.clientWidth - 54))));
};
const addItems = (cell, heading, found, expanded) => {
  if (found.length) cell.append(el("h3", {}, `${heading} (${found.length})`), itemList(found, expanded));
};
const itemList = (found, expanded) => {
  const list = el("div", { class: "items" });
  found.forEach((one, at) => list.append(item(one, expanded && at < 10)));
  return list;
};
const taskFacts = (task) => {
  const list = el("dl", { class: "inline-facts" });
  const facts = [["Name", task.name], ["Engine", task.engine], ["Progress", task.progress], ["Result", task.result], ["Direction", task.direction], ["Passed rate", task.rate], ["Instance", task.instance]];
  for (const [name, value] of facts) {
    if (value) list.append(el("div", {}, el("dt", {}, name), el("dd", {}, el("code", {}, value))));
  }
  const address = `#${encodeURIComponent(task.id)}`;
  list.append(el("div", { class: "to-task" }, el("dt", { class: "vh" }, "Address"), el("dd", {}, el("a", { href: address }, "Link to this task"))));
  return list;
};
