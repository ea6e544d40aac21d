/** What the library uses of ml-matrix: see tfjs.ts. @module */

export { EigenvalueDecomposition, Matrix, solve, SVD } from "npm:ml-matrix@^6.12.0";
