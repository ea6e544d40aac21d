/** Every method and combinator of methods, one line each. What is listed here can be named in text, see `parse`. @module */

export { average } from "./average.ts";
export { diana, type DianaOptions, type DianaState } from "./diana.ts";
export { errorFeedback, type ErrorFeedbackOptions, type ErrorFeedbackState } from "./error_feedback.ts";
export { none } from "./none.ts";
