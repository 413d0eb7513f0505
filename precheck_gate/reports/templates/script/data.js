/* What the run found. The page holds equal rows and texts once; numbers refer to them. */
const source = JSON.parse(byId("data").textContent);
const styles = { passed: "ok", passed_with_warnings: "warn", blocked: "block", incomplete: "open", error: "error" };
const signs = { ok: "✓", warn: "!", block: "×", open: "…", error: "?" };
const labels = { passed: "Passed", passed_with_warnings: "Passed with warnings", blocked: "Blocked", incomplete: "Incomplete", error: "Error" };
const NO_GROUP = "no group";
const TASK_ITSELF = "task itself";

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

// The same key as that of the page's list of causes.
const causeKey = (one) => [one.verdict, one.kind, one.title, one.status, one.failed_reason, one.own ? one.decided_by : one.group].join("\n");

const searchable = (one) => {
  if (!one.words) {
    const known = look(source.items, one.title);
    one.words = [one.title, one.message, one.group, one.failed_reason, one.raw_error, one.sub_task, one.code,
      one.decided_by, one.reason, one.next_step, one.waived_by, one.waiver_reason, JSON.stringify(one.data || ""),
      known ? known.title : ""].join("\n").toLowerCase();
  }
  return one.words;
};
