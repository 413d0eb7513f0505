document.documentElement.classList.add("has-script");
for (const node of document.querySelectorAll(".needs-script")) node.hidden = false;
chooseTheme();
offerCopies();
if (tasks.length) {
  upgradeRows();
  fillFilters();
  listen();
  preparePrint();
  applyFilters();
  if (tasks.length === 1) setOpen(rows.get(0), true);
  if (location.hash) followAddress();
}
