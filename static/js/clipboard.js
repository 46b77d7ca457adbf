// The clipboard, also where the browser makes it hard.

export async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP on another host than localhost has no clipboard API.
  const focused = document.activeElement;
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  focused.focus();
  if (!copied) throw new Error("copy refused");
}

// Writes a text that is still to come; returns false when there is none (null).
export async function writeLater(coming) {
  if (navigator.clipboard && window.ClipboardItem) {
    // Safari takes the text of a later moment only when it is promised within the click.
    const blob = coming.then((text) => {
      if (text === null) throw new Error("no text");
      return new Blob([text], { type: "text/plain" });
    });
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return true;
    } catch {} // tried once more below
  }
  const text = await coming;
  if (text !== null) await write(text);
  return text !== null;
}
