/**
 * As everywhere_rank.ts, in an engine with other Math.exp, log, sin and the like: the language leaves their last bits open, so
 * nothing that both ends of a message compute may hang on them.
 *
 * @module
 */

import "./inexact_math.ts";
import "./everywhere_rank.ts";
