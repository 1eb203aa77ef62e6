/**
 * Puts `text` on the clipboard. Resolves to whether it worked.
 *
 * `navigator.clipboard` exists in secure contexts only, and a server on a home network is often reached by plain HTTP.
 */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch (error) {
      console.info("Klieg: the clipboard is not available:", error);
    }
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  // Inside an open modal dialog everything else is inert, and an inert field cannot be selected.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}
