
"use strict";
(() => {
  // Texts of a run reach the page through textContent and attributes only, never as markup.
  const byId = (id) => document.getElementById(id);
  const source = JSON.parse(byId("data").textContent);
  const styles = { passed: "ok", passed_with_warnings: "warn", blocked: "block", incomplete: "open", error: "error" };
  const signs = { ok: "✓", warn: "!", block: "×", open: "…", error: "?" };
  const labels = { passed: "Passed", passed_with_warnings: "Passed with warnings", blocked: "Blocked", incomplete: "Incomplete", error: "Error" };
  const NO_GROUP = "no group";
  const TASK_ITSELF = "task itself";
  const SVG = "http://www.w3.org/2000/svg";

  const el = (name, attributes, ...children) => {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return node;
  };
  const draw = (name, attributes, ...children) => {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  };
  // A name from outside may be that of something every object has.
  const look = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);
  const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

  /* The data: rows and texts that repeat stand once and are referred to by number. */
  const text = (ref) => (typeof ref === "number" ? source.texts[ref] : ref);
  const finding = (row) => {
    const made = {};
    source.fields.forEach((field, at) => { made[field] = at < row.length ? row[at] : 0; });
    source.fields.slice(0, 16).forEach((field) => { made[field] = text(made[field]); });
    made.trace = (made.trace || []).map(text);
    made.style = styles[made.verdict];
    made.effect = made.style === "ok" ? "allow" : made.style === "warn" ? "warn" : "block";
    made.own = made.kind === "task";
    made.place = made.own ? TASK_ITSELF : made.group || NO_GROUP;
    made.words = "";
    return made;
  };
  const shared = source.rows.map(finding);
  const tasks = source.tasks.map((row, index) => ({
    index, id: row[0], verdict: row[1], progress: row[2], result: row[3], direction: row[4],
    rate: row[5], instance: row[6], timeline: row[7],
    name: row[9], engine: row[10],
    findings: row[8].map((one) => (typeof one === "number" ? shared[one] : finding(one))),
  }));
  source.tasks = source.rows = null;

  const searchable = (one) => {
    if (!one.words) {
      const known = look(source.items, one.title);
      one.words = [one.title, one.message, one.group, one.failed_reason, one.raw_error, one.sub_task, one.code,
        one.decided_by, one.reason, one.next_step, one.waived_by, one.waiver_reason, JSON.stringify(one.data || ""),
        known ? known.title : ""].join("\n").toLowerCase();
    }
    return one.words;
  };

  /* Filters. */
  const inputs = { text: byId("f-text"), verdict: byId("f-verdict"), effect: byId("f-effect"), status: byId("f-status"), group: byId("f-group"), known: byId("f-known") };
  const rows = new Map();
  const columns = [...document.querySelectorAll(".turned span")].map((heading) => heading.textContent);
  let wanted = null;

  const fill = (select, values, spoken) => {
    for (const value of values) select.append(el("option", { value }, spoken ? spoken[value] : value));
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
    return wanted.words.every((word) => task.id.toLowerCase().includes(word) || searchable(one).includes(word));
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
    const all = seenTasks === tasks.length && !wanted.narrow;
    byId("shown").textContent = all
      ? `${plural(tasks.length, "task")}, ${plural(seenItems, "item")}`
      : `${seenTasks} of ${plural(tasks.length, "task")}, ${plural(seenItems, "item")} that match${seenItems === 1 ? "es" : ""}`;
  };

  /* The details of one task, made when they are asked for. */
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
    if (task.timeline.length > 1) cell.append(chart(task, Math.max(280, Math.min(760, cell.clientWidth - 54))));
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
    if (hidden) cell.append(el("p", { class: "small" }, `${hidden} more that the filter leaves out.`));
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
    return list;
  };

  const item = (one, expanded) => {
    const known = one.own ? null : look(source.items, one.title);
    const summary = el("summary", {},
      el("span", { class: `key ${one.style}`, "aria-hidden": "true" }, signs[one.style]),
      el("span", { class: "vh" }, `${one.effect}: `),
      one.own ? null : el("code", {}, one.title),
      el("span", { class: "title" }, one.own ? one.message : one.sub_task ? `sub-task ${one.sub_task}` : known ? known.title : ""),
      one.status && one.status !== "PASSED" ? el("span", { class: "tag" }, one.status) : null,
      one.waived_by ? el("span", { class: "tag" }, "waived") : null,
      one.known ? el("span", { class: "tag" }, "known") : null,
      el("span", { class: "group" }, one.group));
    const node = el("details", { class: "item" }, summary);
    const render = () => { if (node.children.length === 1) node.append(itemBody(one, known)); };
    node.addEventListener("toggle", () => { if (node.open) render(); });
    if (expanded) { node.open = true; render(); }
    return node;
  };
  const itemBody = (one, known) => {
    const what = el("div", {});
    const how = el("div", {});
    if (!one.own && !one.message.startsWith(`${one.title} is ${one.status}`)) add(what, "What was found", el("p", {}, one.message));
    if (known) add(what, "What it checks", el("p", {}, `${known.checks} ${known.matters}`));
    if (one.failed_reason) add(what, "Reason of the service", el("p", {}, el("code", {}, one.failed_reason), look(source.reasons, one.failed_reason) ? `: ${source.reasons[one.failed_reason]}` : ""));
    if (one.code) add(what, "Error code of the service", el("p", {}, el("code", {}, one.code)));
    if (one.raw_error) add(what, "Raw error", el("pre", { tabindex: "0" }, el("code", {}, one.raw_error)));
    if (one.data) add(what, "Evidence", evidence(one.data));
    if (one.next_step && !repeats(one.next_step, known)) add(one.own ? what : how, "Next step", el("p", { class: "first" }, one.next_step));
    if (known && one.next_step) remedies(how, known);
    add(how, "Decided by", el("p", {}, el("code", {}, one.decided_by), one.reason ? `: ${one.reason}` : ""));
    if (one.waived_by) add(how, "Waived by", el("p", {}, waiver(one)));
    if (one.known) add(how, "Baseline", el("p", {}, "The baseline report had this already."));
    if (one.trace.length) {
      add(how, "Looked at, in this order", el("ol", { class: "trace" }, ...one.trace.map((step) => el("li", {}, step))));
    }
    return el("div", { class: "body" }, what, how);
  };
  const add = (parent, heading, ...children) => parent.append(el("div", {}, el("h4", {}, heading), ...children));
  const waiver = (one) => {
    const left = look(source.waivers, one.waived_by);
    const days = left === undefined ? "" : `, ${plural(left, "day")} left`;
    return `${one.waived_by} until ${one.waived_until}${days}: ${one.waiver_reason}`;
  };
  // The catalogue's first remedy begins with what the finding gives as its next step.
  const repeats = (step, known) => {
    const bare = step.slice(step.indexOf(": ") + 2).replace(/…$/, "");
    return Boolean(known) && known.remedies.some((remedy) => remedy[1].startsWith(bare));
  };
  const remedies = (parent, known) => {
    const names = { source: "On the source", destination: "On the destination", task: "In the DRS task" };
    const ordered = [...known.remedies].sort((one, other) => (other[0] === known.first) - (one[0] === known.first));
    ordered.forEach(([place, words], at) => {
      const heading = at === 0 && ordered.length > 1 ? `${names[place]}, first` : names[place];
      add(parent, heading, el("p", at ? {} : { class: "first" }, words));
    });
    const list = el("p", { class: "small" });
    known.sources.forEach(([title, url], at) => {
      if (at) list.append("; ");
      list.append(url.startsWith("https://") ? el("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, title) : title);
    });
    if (known.inferred) list.append(". Matched by meaning: the source does not name this item.");
    if (known.sources.length) add(parent, "Source", list);
  };
  const evidence = (data) => {
    if (typeof data === "string") return el("pre", { tabindex: "0" }, el("code", {}, data));
    const list = el("dl", { class: "evidence" });
    for (const [key, values] of data) {
      list.append(el("dt", {}, key || plural(values.length, "entry").replace("entrys", "entries")));
      if (values.length <= 3) {
        list.append(el("dd", {}, values.join(", ") || "(empty)"));
      } else {
        const names = el("ul", { class: "names", tabindex: "0" }, ...values.map((value) => el("li", {}, value)));
        list.append(el("dd", {}, key ? el("span", { class: "small" }, `${values.length}:`) : null, names));
      }
    }
    return list;
  };

  const chart = (task, width) => {
    const [height, left, top, bottom] = [170, 44, 10, 26];
    const line = task.timeline;
    const end = line[line.length - 1][0] || 1;
    const x = (seconds) => left + (seconds / end) * (width - left - 12);
    const y = (done) => top + (1 - done / 100) * (height - top - bottom);
    const points = line.map(([seconds, done]) => `${x(seconds).toFixed(1)},${y(done).toFixed(1)}`).join(" ");
    const spoken = `Progress: ${line.map(([seconds, done]) => `${done} % at ${seconds} s`).join(", ")}`;
    const picture = draw("svg", { class: `chart ${/^(incomplete|error)$/.test(task.verdict) ? styles[task.verdict] : "plainly"}`, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": spoken });
    for (const done of [0, 50, 100]) {
      picture.append(draw("line", { class: "axis", x1: left, x2: width - 12, y1: y(done), y2: y(done) }),
        draw("text", { x: left - 8, y: y(done) + 4, "text-anchor": "end" }, `${done} %`));
    }
    const steps = Math.min(width < 500 ? 2 : 4, Math.max(1, Math.floor(end)));
    for (let step = 0; step <= steps; step += 1) {
      const seconds = (end * step) / steps;
      const anchor = step === steps ? "end" : step ? "middle" : "start";
      picture.append(draw("text", { x: x(seconds), y: height - 6, "text-anchor": anchor }, `${Math.round(seconds)} s`));
    }
    picture.append(draw("polygon", { points: `${x(line[0][0])},${y(0)} ${points} ${x(end)},${y(0)}` }), draw("polyline", { points }));
    for (const [seconds, done] of line.slice(0, 60)) picture.append(draw("circle", { cx: x(seconds), cy: y(done), r: 2.6 }));
    return picture;
  };

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
      if (cell && !cell.title && cell.firstChild) cell.title = tellCell(cell);
    });
  };
  const tellCell = (cell) => {
    const row = rows.get(Number(cell.parentNode.dataset.i));
    const place = columns[row.cells.indexOf(cell)];
    const numbers = { block: 0, warn: 0, allow: 0 };
    for (const one of row.task.findings) if (one.place === place) numbers[one.effect] += 1;
    const told = [[numbers.block, "blocking"], [numbers.warn, "warning"], [numbers.allow, "allowed"]];
    return `${place}: ${told.filter(([number]) => number).map(([number, word]) => `${number} ${word}`).join(", ")}`;
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
  const openNamed = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const task = id && tasks.find((one) => one.id === id);
    if (!task) return;
    setOpen(rows.get(task.index), true);
    rows.get(task.index).node.scrollIntoView();
  };
  const listen = () => {
    const form = document.querySelector(".filters");
    let waiting = 0;
    const later = () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(applyFilters); };
    form.addEventListener("input", later);
    form.addEventListener("reset", later);
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", openNamed);
    for (const button of document.querySelectorAll("button[data-item]")) {
      button.addEventListener("click", () => {
        form.reset();
        inputs.text.value = button.dataset.item;
        inputs.effect.value = button.dataset.effect;
        applyFilters();
        byId("tasks").scrollIntoView();
        byId("tasks").focus({ preventScroll: true });
      });
    }
    let opened = [];
    addEventListener("beforeprint", () => {
      const closed = [...rows.values()].filter((row) => !row.open && !row.node.hidden && !/^passed/.test(row.task.verdict));
      opened = closed.slice(0, 50);
      for (const row of opened) setOpen(row, true);
      for (const more of document.querySelectorAll("details.more")) more.open = true;
    });
    addEventListener("afterprint", () => { for (const row of opened) setOpen(row, false); });
  };
  const chooseTheme = () => {
    const button = byId("theme");
    const root = document.documentElement;
    const order = ["auto", "light", "dark"];
    // A sandboxed page may have no storage.
    const remembered = () => { try { return localStorage.getItem("precheck-gate-theme"); } catch { return null; } };
    const remember = (theme) => { try { localStorage.setItem("precheck-gate-theme", theme); } catch { /* for this view only */ } };
    const show = (theme) => {
      if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
      button.textContent = `Theme: ${theme}`;
    };
    let theme = order.includes(remembered()) ? remembered() : "auto";
    show(theme);
    button.addEventListener("click", () => {
      theme = order[(order.indexOf(theme) + 1) % order.length];
      remember(theme);
      show(theme);
    });
  };

  document.documentElement.classList.add("has-script");
  for (const node of document.querySelectorAll(".needs-script")) node.hidden = false;
  chooseTheme();
  if (tasks.length) {
    upgradeRows();
    fillFilters();
    listen();
    applyFilters();
    if (tasks.length === 1) setOpen(rows.get(0), true);
    openNamed();
  }
})();
