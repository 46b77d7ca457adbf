// The clipboard, with fallbacks.

export async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Over plain HTTP, only localhost has a clipboard API.
  const focused = document.activeElement;
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused.focus();
  if (!copied) throw new Error("copy refused");
}

// Writes a promised text; returns false if it is null.
export async function writeLater(coming) {
  if (navigator.clipboard && window.ClipboardItem) {
    // Safari accepts a later text only as a promise within the click.
    const blob = coming.then((text) => {
      if (text === null) throw new Error("no text");
      return new Blob([text], { type: "text/plain" });
    });
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return true;
    } catch {} // retried below
  }
  const text = await coming;
  if (text !== null) await write(text);
  return text !== null;
}
