/** $(NAME) becomes its value when there is one and stays as it is otherwise; $$ is a plain dollar sign. */
export function expand(text: string, values: { readonly [name: string]: string }): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (all, name: string | undefined) => {
    if (name === undefined) return "$";
    return Object.hasOwn(values, name) ? values[name]! : all;
  });
}
