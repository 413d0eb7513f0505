/* The theme: the system's, or the one that the reader chose. */
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

