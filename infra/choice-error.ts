/** What was chosen is wrong. The message says what, where it was given, and what is allowed. */
export class ChoiceError extends Error {}
