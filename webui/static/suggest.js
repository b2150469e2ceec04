// What a filter may go on with while it is typed: options of a <datalist>, which browsers show, filter and read out.
const told = new Map();

export function suggest(box) {
  if (box.list) return;
  const list = document.createElement("datalist");
  list.id = `suggest-${document.querySelectorAll("datalist").length}`;
  box.after(list);
  box.setAttribute("list", list.id);
  let timer = 0;
  const look = async () => {
    const typed = box.value;
    if (!told.has(typed)) {
      const answer = await fetch(`${box.dataset.suggest}?q=${encodeURIComponent(typed)}`, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!answer?.ok) return;
      told.set(typed, await answer.json());
    }
    if (box.value === typed) list.replaceChildren(...told.get(typed).map((value) => Object.assign(document.createElement("option"), { value })));
  };
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 150); });
  look();
}
