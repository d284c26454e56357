// Numbers and times as people read them.

/** A duration in ms: "62 ms", "3.4 s", "12 min"; "–" where there is none. */
export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return "–";
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 119.5) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 47.5 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} days`;
}

/** Frames a second: "14.9", "0.5", "120". */
export function rate(fps) {
  if (!Number.isFinite(fps)) return "–";
  return fps < 99.95 ? fps.toFixed(1) : fps.toFixed(0);
}

/** A count in at most four characters: "0", "812", "1.2k", "13k", "4M". */
export function count(number) {
  if (!Number.isFinite(number)) return "–";
  for (const [size, letter] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (number >= size) {
      const scaled = number / size;
      return `${scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)}${letter}`;
    }
  }
  return String(number);
}

/** A time of day in the browser's own zone, with the date where it is not today. ms since 1970. */
export function clock(ms, now = Date.now()) {
  const at = new Date(ms);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  return at.toDateString() === new Date(now).toDateString() ? time : `${at.toLocaleDateString()} ${time}`;
}

/** "1 camera", "16 cameras". */
export function cameras(number) {
  return number === 1 ? "1 camera" : `${number} cameras`;
}
