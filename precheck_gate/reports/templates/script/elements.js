/* Elements. Texts of a run reach the page through textContent and attributes only, never as markup. */
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
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
