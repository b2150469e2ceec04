// What is wrong with the texts of a page as it is drawn: one over another, cut off, or out of its box.
// Texts that are cut on purpose (line-clamp) and what can be scrolled to are let alone.
(() => {
  const wrong = new Set();
  const said = (box) => `“${box.text.trim().replace(/\s+/g, " ").slice(0, 40)}”`;

  // A label that CSS draws has no box that a script could measure: a real one, drawn alike, takes its place.
  for (const cell of document.querySelectorAll("[data-label]")) {
    const drawn = getComputedStyle(cell, "::before");
    if (!cell.checkVisibility() || drawn.content === "none" || drawn.content === '""') continue;
    const label = document.createElement("span");
    label.textContent = cell.dataset.label;
    for (const name of ["display", "float", "position", "inset", "width", "margin", "fontSize", "lineHeight", "overflowWrap", "hyphens", "whiteSpace"]) label.style[name] = drawn[name];
    cell.dataset.label = "";
    cell.prepend(label);
  }

  const clips = (style) => [style.overflowX, style.overflowY].some((one) => one === "hidden" || one === "clip");
  const scrolls = (style) => [style.overflowX, style.overflowY].some((one) => one === "auto" || one === "scroll");
  const boxes = [];
  const range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("svg, option, script, style, .visually-hidden, .skip")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    range.selectNodeContents(node);
    for (const { left, right, top, bottom } of range.getClientRects()) {
      if (right - left > 1 && bottom - top > 1) boxes.push({ text: node.data, node, parent, left, right, top, bottom });
    }
  }

  // Whether a text is cut; and what of it is seen.
  function seen(box) {
    let { left, right, top, bottom } = box;
    for (let outer = box.parent; outer && outer !== document.body; outer = outer.parentElement) {
      const style = getComputedStyle(outer), edge = outer.getBoundingClientRect();
      if (["fixed", "sticky"].includes(style.position) || style.clipPath !== "none") return null;
      if (style.webkitLineClamp !== "none" || scrolls(style) || clips(style)) {
        if (clips(style) && !scrolls(style) && style.webkitLineClamp === "none" && (right > edge.right + 1 || left < edge.left - 1 || bottom > edge.bottom + 3)) wrong.add(`${said(box)} is cut`);
        left = Math.max(left, edge.left); right = Math.min(right, edge.right);
        top = Math.max(top, edge.top); bottom = Math.min(bottom, edge.bottom);
        if (right - left < 2 || bottom - top < 2) return null;
      } else if (outer.matches("button, .btn-x, .pill, .tag, .chip, .tile, th, td, dt, dd, label, .card-x") && (right > edge.right + 1 || left < edge.left - 1)) {
        wrong.add(`${said(box)} sticks out of its ${outer.className || outer.tagName.toLowerCase()}`);
      }
    }
    if (right > innerWidth + 1 || left < -1) wrong.add(`${said(box)} is beyond the edge of the window`);
    return { ...box, left, right, top, bottom };
  }

  const shown = boxes.map(seen).filter(Boolean).sort((a, b) => a.top - b.top);
  shown.forEach((one, at) => {
    for (let next = at + 1; next < shown.length && shown[next].top < one.bottom - 3; next++) {
      const other = shown[next];
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - other.top;
      if (wide > 2 && high > 3 && one.node !== other.node) wrong.add(`${said(one)} and ${said(other)} overlap`);
    }
  });

  // What is chosen in a select is no text of the page: it is measured.
  const pen = document.createElement("canvas").getContext("2d");
  for (const select of document.querySelectorAll("select")) {
    const style = getComputedStyle(select), text = select.selectedOptions[0]?.text ?? "";
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const room = select.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    if (select.checkVisibility() && pen.measureText(text).width > room + 1) wrong.add(`“${text.slice(0, 60)}” is cut in its select`);
  }
  return [...wrong];
})()
