export const sourceStrings = {
  title: "Sources",
};
