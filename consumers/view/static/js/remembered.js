// What a browser keeps of a person's choices; where storage is shut off, nothing is kept and nothing fails.

/** The text kept under a name, or `fallback`. */
export function recall(name, fallback) {
  try {
    return localStorage.getItem(`framelane.${name}`) ?? fallback;
  } catch {
    return fallback;
  }
}

/** Keep a text under a name. */
export function remember(name, value) {
  try {
    localStorage.setItem(`framelane.${name}`, String(value));
  } catch {
    // Full or shut off: the choice holds until the page is left.
  }
}
