// A classic script in the head: the chosen theme stands before anything is painted.
"use strict";
try {
  const chosen = localStorage.getItem("framelane.theme");
  if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is shut off: as the system has it.
}
