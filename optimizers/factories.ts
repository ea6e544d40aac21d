/** Every method and combinator of methods, one line each. What is listed here can be named in text, see `parse`. @module */

export { average } from "./average.ts";
