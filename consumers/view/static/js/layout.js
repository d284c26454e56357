// What the bar of every page does: it marks the page that is open, and switches the theme.

import { recall, remember } from "./remembered.js";

const THEMES = ["system", "dark", "light"];

/** Mark the page's own link in the bar. */
function markPage() {
  const here = location.pathname;
  for (const link of document.querySelectorAll(".pages a")) {
    const path = new URL(link.href).pathname;
    const own = path === "/" ? here === "/" || here.startsWith("/camera/") : here.startsWith(path);
    if (own) link.setAttribute("aria-current", here === path ? "page" : "true");
  }
}

function showTheme(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const button = document.getElementById("theme");
  const words = theme === "system" ? "as the system has it" : theme;
  button.setAttribute("aria-label", `Theme: ${words}. Change`);
  button.title = `Theme: ${words}`;
}

function switchThemes() {
  let theme = recall("theme", "system");
  if (!THEMES.includes(theme)) theme = "system";
  showTheme(theme);
  document.getElementById("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    remember("theme", theme);
    showTheme(theme);
    document.dispatchEvent(new CustomEvent("theme"));
  });
}

markPage();
switchThemes();
