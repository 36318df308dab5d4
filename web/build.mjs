/**
 * Builds web/static from web/src. The result is committed, so that nobody needs Node to run opsbot.
 *
 *   node build.mjs           write web/static
 *   node build.mjs --check   say whether web/static is what this would write; write nothing
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = join(here, "static");
const require = createRequire(import.meta.url);

/** Most kB that a file may weigh after gzip. A page loads fast or people leave. */
const BUDGETS = { "widget.js": 20, "console.js": 20, "charts.js": 310, "shop.css": 12, "help.css": 12, "survey.css": 12, "console.css": 14 };

const SCRIPTS = {
  "widget.js": { entry: "widget/main.js", format: "iife" },
  "console.js": { entry: "console/main.js", format: "esm" },
  "charts.js": { entry: "charts/main.js", format: "esm" },
  "site.js": { entry: "site/main.js", format: "iife" },
  "docs.js": { entry: "docs/main.js", format: "iife" },
};
const SHEETS = ["shop.css", "help.css", "survey.css", "console.css", "docs.css"];
const SWAGGER = { "swagger-ui-bundle.js": "swagger-ui.js", "swagger-ui.css": "swagger-ui.css" };

/** @returns {Promise<Map<string, Uint8Array>>} name to content, in a fixed order */
async function build() {
  const files = new Map();
  for (const [name, { entry, format }] of Object.entries(SCRIPTS)) {
    files.set(name, await bundle(join(source, entry), { format, loader: { ".css": "text" } }));
  }
  for (const name of SHEETS) {
    // Addresses in a sheet stay as they are: the server knows what lies beside it.
    files.set(name, await bundle(join(source, "css", name), { loader: { ".css": "css" }, external: ["*.svg"] }));
  }
  for (const [from, name] of Object.entries(SWAGGER)) {
    files.set(name, withoutMapLink(await readFile(require.resolve(`swagger-ui-dist/${from}`))));
  }
  for (const name of (await readdir(join(source, "images"))).sort()) {
    files.set(name, await readFile(join(source, "images", name)));
  }
  checkBudgets(files);
  files.set("manifest.json", manifest(files, await hashSources()));
  return files;
}

async function bundle(entry, options) {
  const result = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    target: ["es2022", "chrome123", "firefox120", "safari17.5"],
    legalComments: "none",
    charset: "utf8",
    logLevel: "warning",
    absWorkingDir: here,
    ...options,
    plugins: [textOfMinifiedSheets(options), noMarkup],
  });
  return result.outputFiles[0].contents;
}

/** A sheet inside a script is minified like any other; the loader for text would keep its comments. */
function textOfMinifiedSheets({ loader }) {
  return {
    name: "text-of-minified-sheets",
    setup(building) {
      if (loader[".css"] !== "text") return;
      building.onLoad({ filter: /\.css$/ }, async ({ path }) => {
        const sheet = await esbuild.transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "chrome123" });
        return { contents: sheet.code.trim(), loader: "text" };
      });
    },
  };
}

/** Vega empties its container through `innerHTML`, which Trusted Types forbid. The same, without markup. */
const noMarkup = {
  name: "no-markup",
  setup(building) {
    building.onLoad({ filter: /node_modules[\\/]vega-(view|scenegraph)[\\/].*\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/(\w+)\.innerHTML = '';/g, "$1.replaceChildren();"),
      loader: "js",
    }));
  },
};

function withoutMapLink(content) {
  return Buffer.from(content.toString("utf8").replace(/\n?(\/\/|\/\*)# sourceMappingURL=.*/g, ""));
}

function checkBudgets(files) {
  for (const [name, most] of Object.entries(BUDGETS)) {
    const size = gzipSync(files.get(name), { level: 9 }).length / 1000;
    console.log(`${name.padEnd(14)} ${size.toFixed(1).padStart(6)} kB gzip, at most ${most}`);
    if (size > most) throw new Error(`${name} weighs ${size.toFixed(1)} kB, more than ${most} kB.`);
  }
}

function manifest(files, sources) {
  const names = [...files.keys()].sort();
  const hashes = names.map((name) => [name, sha256(files.get(name)).slice(0, 16)]);
  return Buffer.from(`${JSON.stringify({ files: Object.fromEntries(hashes), sources }, null, 2)}\n`);
}

/** Hash what the build is made from, so that a stale result is noticed where there is no Node. */
async function hashSources() {
  const hash = createHash("sha256");
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const inside = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = [...inside, join(here, "build.mjs"), join(here, "package-lock.json")]
    .map((path) => relative(here, path).split(sep).join("/"));
  for (const path of paths.sort()) hash.update(`${path}\n${sha256(await readFile(join(here, path)))}\n`);
  return hash.digest("hex");
}

function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

async function write(files) {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const [name, content] of files) await writeFile(join(target, name), content);
}

/** @returns {Promise<string[]>} names that differ, are missing or are too many */
async function stale(files) {
  const present = new Set(await readdir(target).catch(() => []));
  const different = [];
  for (const [name, content] of files) {
    const same = present.delete(name) && Buffer.from(content).equals(await readFile(join(target, name)));
    if (!same) different.push(name);
  }
  return [...different, ...present];
}

const files = await build();
if (process.argv.includes("--check")) {
  const names = await stale(files);
  if (names.length) {
    console.error(`${relative(process.cwd(), target) || target} is not fresh: ${names.join(", ")}. Run "npm run build" in web/ and commit the result.`);
    process.exit(1);
  }
  console.log("web/static is fresh.");
} else {
  await write(files);
}
