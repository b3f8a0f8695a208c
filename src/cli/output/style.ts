// Colours, only where someone looks at them.
import { styleText } from "node:util";

export type Paint = Readonly<
  Record<"bold" | "dim" | "green" | "red" | "yellow" | "cyan", (text: string) => string>
>;

export function paint(colors: boolean): Paint {
  const with_ = (format: keyof Paint) => (text: string) =>
    colors && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: with_("bold"),
    dim: with_("dim"),
    green: with_("green"),
    red: with_("red"),
    yellow: with_("yellow"),
    cyan: with_("cyan"),
  };
}

/** How a condition's status looks. */
export function paintStatus(colors: Paint, status: string): string {
  if (status === "True") return colors.green(status);
  return status === "False" ? colors.red(status) : colors.yellow(status);
}

const escapes = /\u001b\[[0-9;]*m/g;

/** How wide a text is on the screen. */
export function widthOf(text: string): number {
  return text.replace(escapes, "").length;
}
