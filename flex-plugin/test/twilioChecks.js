// Runs the checks that Twilio's CLI makes before it starts, builds or deploys a plugin, and calls them as the CLI does.
// They read the CLI's folder and note the plugin there, so they get a folder of their own.
const fs = require("fs");
const os = require("os");
const path = require("path");

const scripts = "@twilio/flex-plugin-scripts";
const { version } = require(`${scripts}/package.json`);

const home = fs.mkdtempSync(path.join(os.tmpdir(), "twilio-home-"));
process.on("exit", () => fs.rmSync(home, { recursive: true, force: true }));
process.env.HOME = home;
process.env.USERPROFILE = home;
fs.mkdirSync(path.join(home, ".twilio-cli"));
fs.writeFileSync(
  path.join(home, ".twilio-cli", "package.json"),
  JSON.stringify({ dependencies: { "@twilio-labs/plugin-flex": version } }),
);

async function main() {
  for (const check of ["pre-script-check", "pre-start-check"]) {
    await require(`${scripts}/dist/scripts/${check}`).default();
  }
}

main();
