// Names come from devices and may hold anything but a few characters. What cannot be seen, or would turn the text
// around it, is written out.

export function shownName(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|^\s|\s$/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16).toUpperCase()}}`;
  });
}
