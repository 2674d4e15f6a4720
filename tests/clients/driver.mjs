// Runs inside an npm client's own Node: one JSON call a line on stdin, one JSON answer a line on stdout, as driver.py.
// usage: node driver.mjs FOLDER PACKAGE CLASS OPTIONS      (FOLDER has the node_modules; the client is used as it is)

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const [folder, name, kind, options] = process.argv.slice(2);
const write = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");
const raised = (error) => ({ raised: error?.name ?? "Error", text: String(error?.message ?? error) });
for (const how of ["log", "info", "debug", "warn"]) console[how] = console.error; // what a client prints is no answer

/** Public methods of the client's class. */
function methods(client) {
  const prototype = Object.getPrototypeOf(client);
  const names = Object.getOwnPropertyNames(prototype).filter((name) => typeof prototype[name] === "function");
  return names.filter((name) => name !== "constructor" && !name.startsWith("_")).sort();
}

async function answer(client, { method, args }) {
  if (method === ".methods") return methods(client);
  return await client[method](...args);
}

let client;
let failed;
try {
  const library = createRequire(join(resolve(folder), "package.json"))(name);
  client = new library[kind](JSON.parse(options));
} catch (error) {
  failed = raised(error);
}
for await (const line of createInterface({ input: process.stdin })) {
  try {
    write(failed ?? { returned: (await answer(client, JSON.parse(line))) ?? null });
  } catch (error) {
    write(raised(error)); // whatever a client raises is the answer
  }
}
process.exit(0);
