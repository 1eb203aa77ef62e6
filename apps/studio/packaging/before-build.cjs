/** electron-builder's question whether to gather the app's modules: there are none, all is in the bundles. */
module.exports = async () => false;
