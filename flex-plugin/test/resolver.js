// Flex UI is tested for real, without the packages that it draws and telephones with: package.json's overrides leave
// them out, and whatever Flex UI looks for there finds a stand-in that lets itself be called.
const fs = require("fs");
const path = require("path");

const standIn = path.join(__dirname, "standIn.js");

function isLeftOut(file) {
  const manifest = path.join(path.dirname(file), "package.json");
  return fs.existsSync(manifest) && JSON.parse(fs.readFileSync(manifest, "utf8")).name === "empty-npm-package";
}

module.exports = (request, options) => {
  try {
    const file = options.defaultResolver(request, options);
    return isLeftOut(file) ? standIn : file;
  } catch (error) {
    const fromFlex = options.basedir.includes(path.join("@twilio", "flex-ui")) && !request.startsWith(".");
    if (fromFlex) return standIn;
    throw error;
  }
};
