// A hand scanner types into whatever has the focus, and presses Enter; when nothing has the focus, it
// means `field`. It may have begun before this script came: what it typed so far is not taken apart.

export const byHand = window.matchMedia("(hover: hover) and (pointer: fine)").matches;

export function handScanner(field) {
  document.addEventListener("keydown", (event) => {
    if (document.activeElement !== document.body || event.ctrlKey || event.metaKey) return;
    if (event.key.length === 1) field.focus();
    else if (event.key === "Enter" && field.value) field.form.requestSubmit();
  });
  // FNC1, which parts what a GS1 code holds, is no character that keys write: scanners press Ctrl+].
  field.addEventListener("keydown", (event) => {
    if (!event.ctrlKey || event.altKey || (event.key !== "]" && event.code !== "BracketRight")) return;
    event.preventDefault();
    field.setRangeText("\u001d", field.selectionStart, field.selectionEnd, "end");
  });
  // On a phone a focused field would open the keyboard over the page.
  if (!byHand && !field.value) field.blur();
}
