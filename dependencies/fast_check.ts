/** fast-check, which the suites of testing/ use: see tfjs.ts. @module */

export { default } from "npm:fast-check@^4.5.0";
