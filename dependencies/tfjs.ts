/**
 * TensorFlow.js, as the library's files import it. The package is named here and nowhere else, so that the files work from
 * any address without an import map, and with the range of versions that they are tested with: Deno takes the version that
 * the user's own program imports, where it is in the range, so that there is one copy of TensorFlow.js.
 *
 * @module
 */

export * from "npm:@tensorflow/tfjs@^4.10.0";
