// Draws what a terminal showed as SVG: node scripts/terminal-picture.mjs TITLE < recorded-output > docs/picture.svg
// Record with a real terminal, so that colours are the program's own: script -qec 'npm run demo' /dev/null
const palette = ["#21262d", "#f47067", "#57ab5a", "#c69026", "#539bf5", "#b083f0", "#39c5cf", "#adbac7"];
const [title = "terminal"] = process.argv.slice(2);
let text = "";
for await (const chunk of process.stdin) text += chunk;

const lines = text
  .replaceAll("\r\n", "\n")
  .trimEnd()
  .split("\n")
  .map((line) =>
    line.slice(line.lastIndexOf("\r") + 1).replace(/\x1b\[(?:\?[0-9;]*[a-zA-Z]|[0-9;]*[A-HJKSTf])/g, ""),
  );

const charWidth = 8.4;
const lineHeight = 19;
const columns = Math.max(...lines.map((line) => line.replace(/\x1b\[[0-9;]*m/g, "").length), 60);
const width = Math.ceil(Math.min(columns, 190) * charWidth + 40);
const height = lines.length * lineHeight + 70;

const body = lines
  .map((line, index) => `<text x="20" y="${58 + index * lineHeight}">${spans(line)}</text>`)
  .join("\n");

process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" rx="9" fill="#1c2128"/>
<circle cx="22" cy="20" r="6" fill="#f47067"/><circle cx="42" cy="20" r="6" fill="#c69026"/><circle cx="62" cy="20" r="6" fill="#57ab5a"/>
<text x="50%" y="25" text-anchor="middle" fill="#768390" font-family="sans-serif" font-size="13">${escaped(title)}</text>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#adbac7" xml:space="preserve">
${body}
</g>
</svg>
`);

function spans(line) {
  let color;
  let bold = false;
  let dim = false;
  return line
    .split(/(\x1b\[[0-9;]*m)/)
    .map((part) => {
      const codes = /^\x1b\[([0-9;]*)m$/.exec(part);
      if (codes === null) {
        if (part === "") return "";
        const style = `${color ? ` fill="${color}"` : ""}${bold ? ' font-weight="bold"' : ""}${dim ? ' opacity="0.6"' : ""}`;
        return `<tspan${style}>${escaped(part)}</tspan>`;
      }
      for (const code of (codes[1] || "0").split(";").map(Number)) {
        if (code === 0) [color, bold, dim] = [undefined, false, false];
        else if (code === 1) bold = true;
        else if (code === 2) dim = true;
        else if (code === 22) [bold, dim] = [false, false];
        else if (code === 39) color = undefined;
        else if (code >= 30 && code <= 37) color = palette[code - 30];
        else if (code >= 90 && code <= 97) color = palette[code - 90];
      }
      return "";
    })
    .join("");
}

function escaped(part) {
  return part.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
