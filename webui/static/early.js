// Before the first paint: the theme of the system, and that scripts run.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  if (root.dataset.bsTheme !== "system") return;
  root.dataset.system = "";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  follow();
  dark.addEventListener("change", follow);
})();
