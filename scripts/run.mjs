// What every command of package.json goes through: `node run.mjs COMMAND [argument ...]`.
// Works on any Node that the machine has, so its syntax stays old enough for a too old Node to reach the words below.

const OLDEST_NODE = 20;

const major = Number(process.versions.node.split(".")[0]);
if (major < OLDEST_NODE) {
  process.stderr.write(
    `\nKlieg needs Node.js ${OLDEST_NODE} or newer to install itself; this is ${process.versions.node} (${process.execPath}).\n` +
      "Get the current one from https://nodejs.org or your system's packages, then run the same command again.\n\n",
  );
  process.exit(1);
}

import("./bootstrap.mjs")
  .then((bootstrap) => bootstrap.main(process.argv[2], process.argv.slice(3)))
  .catch((error) => {
    process.stderr.write(
      `\n${error && error.name === "BootstrapError" ? error.message : (error && error.stack) || error}\n\n`,
    );
    process.exit(1);
  });
