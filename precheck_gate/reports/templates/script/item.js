/* One finding: a line that opens into its details. */
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
  if (one.failed_reason) add(what, "Failure reason", el("p", {}, el("code", {}, one.failed_reason), look(source.reasons, one.failed_reason) ? `: ${source.reasons[one.failed_reason]}` : ""));
  if (one.code) add(what, "Error code", el("p", {}, el("code", {}, one.code)));
  if (one.raw_error) add(what, "Raw error", el("pre", { tabindex: "0" }, el("code", {}, one.raw_error)));
  if (one.data) add(what, "Evidence", evidence(one.data));
  if (one.next_step && !repeats(one.next_step, known)) add(one.own ? what : how, "Next step", el("p", { class: "first" }, one.next_step));
  if (known && one.next_step) remedies(how, known);
  add(how, "Decided by", el("p", {}, el("code", {}, one.decided_by), one.reason ? `: ${one.reason}` : ""));
  if (one.waived_by) add(how, "Waived by", el("p", {}, waiver(one)));
  if (one.known) add(how, "Baseline", el("p", {}, "Also in the baseline report."));
  if (one.trace.length) {
    add(how, "Checked, in this order", el("ol", { class: "trace" }, ...one.trace.map((step) => el("li", {}, step))));
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
  if (known.inferred) list.append(". Matched by meaning. The source does not name this item.");
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

