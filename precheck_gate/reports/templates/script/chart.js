/* The progress of one task over time. */
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

