/** The wasm backend of TensorFlow.js, as the library's files import it: see tfjs.ts. @module */

export * from "npm:@tensorflow/tfjs-backend-wasm@^4.10.0";
