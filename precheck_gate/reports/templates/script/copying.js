/* A cause as plain text, with all of its tasks, to paste into a ticket. */
const causeText = (card) => {
  const lines = [...card.querySelectorAll("h3, .cause-text > p, .said > div")]
    .map((node) => (node.matches(".said > div") ? `${node.firstElementChild.textContent}: ${node.lastElementChild.textContent}` : node.textContent))
    .map((line) => line.replace(/\s+/g, " ").trim());
  const { key } = card.dataset;
  const having = tasks.filter((task) => task.findings.some((one) => causeKey(one) === key));
  if (having.length) lines.push(`${plural(having.length, "task")}:`);
  for (const task of having) lines.push(`  ${task.id}${task.name ? ` (${task.name})` : ""}`);
  return `${lines.join("\n")}\n`;
};
const copy = async (words) => {
  // Only a page with a secure address has a clipboard.
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(words);
      return true;
    } catch { /* use the older way below */ }
  }
  const area = el("textarea", { class: "vh", "aria-hidden": "true" });
  area.value = words;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
};
const offerCopies = () => {
  for (const button of document.querySelectorAll("button.copy")) {
    const said = button.firstElementChild;
    button.addEventListener("click", async () => {
      said.textContent = (await copy(causeText(button.closest(".cause")))) ? "Copied" : "Not copied";
      setTimeout(() => { said.textContent = "Copy"; }, 2000);
      button.focus();
    });
  }
};
