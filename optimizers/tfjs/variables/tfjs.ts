/** The types of tfjs that this library's own types mention. @module */

import * as tf from "../../../dependencies/tfjs.ts";

/** tfjs's tensor. */
export type Tensor = tf.Tensor;
/** tfjs's scalar. */
export type Scalar = tf.Scalar;
/** tfjs's variable. */
export type Variable = tf.Variable;
/** tfjs's tensors by name. */
export type NamedTensorMap = tf.NamedTensorMap;
/** tfjs's model of layers, `tf.Sequential` included. */
export type LayersModel = tf.LayersModel;
/** The losses and metrics that tfjs hands to callbacks. */
export type Logs = tf.Logs;
/** tfjs's callback for `fit` and `fitDataset`, as `new tf.CustomCallback({ … })` makes it. */
export type CustomCallback = tf.CustomCallback;
/** tfjs's dataset, `tf.data.Dataset`. */
export type Dataset = ReturnType<typeof tf["data"]["generator"]>;
/** Where tfjs saves models to and loads them from. */
export type IOHandler = tf.io.IOHandler;
/** tfjs's optimizer. */
export type Optimizer = tf.Optimizer;
/** tfjs's optimizer, `tf.Optimizer` itself: what `DistributedOptimizer` extends. */
export const Optimizer: abstract new () => Optimizer = tf.Optimizer;
