/** What the tooling puts in place of `process.env` when it builds. */
declare const process: { readonly env: Readonly<Record<string, string | undefined>> };
