/** What `deno task compare` trains the digits network with. @module */

/** One method over one compressor, at one setting or several. */
export interface Contestant {
  /** The method and its compressor, as the table and the picture name them. */
  readonly name: string;
  /** What distinguishes each setting, and the method as a call. */
  readonly settings: readonly (readonly [setting: string, method: string])[];
  /** All settings in short, for the picture. */
  readonly range: string;
  /** The optimizer that is wrapped, and its learning rate. */
  readonly optimizer: "adam" | "momentum" | "sgd";
  readonly rate: number;
  readonly isInPicture: boolean;
}

const shown = (name: string, range: string, ...settings: Contestant["settings"]): Contestant => (
  { name, range, settings, optimizer: "adam", rate: .005, isInPicture: true }
);
const listed = (optimizer: Contestant["optimizer"], rate: number, name: string, method: string): Contestant => (
  { name, range: "", settings: [["", method]], optimizer, rate, isInPicture: false }
);
const nearest = (nu: number) => `sparseDithering({ nu: ${nu}, rounding: "nearest" })`;
const trellis = (omega: number) => `subtractiveDithering({ omega: ${omega}, states: 8 })`;

/** What 32-bit floats are called. Contestants are compared with those that stand above them. */
export const FLOATS = "32-bit floats";

/**
 * Methods that communicate in every step, over the compressors that one would choose first. Those with a momentum of their
 * own, and those of signs, stand below momentum SGD; those for convex problems below SGD.
 */
export const CONTESTANTS: readonly Contestant[] = [
  shown(FLOATS, "", ["", "average"]),
  shown(
    "average, trellis dithering",
    "ω = 0.25 to 4",
    ...[.25, 1, 4].map((omega) => [`ω = ${omega}`, `average(${trellis(omega)})`] as const),
  ),
  shown(
    "average, EDEN",
    "2 to 0.5 bits",
    ...[2, 1, .5].map((bits) => [`${bits} bit${bits > 1 ? "s" : ""}`, `average(eden({ bits: ${bits} }))`] as const),
  ),
  shown(
    "average, QSGD",
    "7 and 1 levels",
    ...[7, 1].map((levels) => [`levels = ${levels}`, `average(bucketed(qsgd({ levels: ${levels} }), 512))`] as const),
  ),
  shown(
    "error feedback, sparse dithering",
    "ν = 0.25 to 0.9",
    ...[.25, .5, .9].map((nu) => [`ν = ${nu}`, `errorFeedback(${nearest(nu)})`] as const),
  ),
  shown(
    "error feedback, top k",
    "10 to 0.1 %",
    ...[.1, .01, .001].map((ratio) => [`${100 * ratio} %`, `errorFeedback(topK({ ratio: ${ratio} }))`] as const),
  ),
  shown("PowerSGD", "rank 4 and 1", ...[4, 1].map((rank) => [`rank ${rank}`, `powerSgd({ rank: ${rank} })`] as const)),
  shown("1-bit Adam", "", ["", "oneBitAdam({ warmupSteps: 100 })"]),
  listed("adam", .005, "DoubleSqueeze, sparse dithering, ν = 0.5", `doubleSqueeze(${nearest(.5)})`),
  listed("adam", .005, "DIANA, trellis dithering, ω = 1", `diana(${trellis(1)})`),
  listed("adam", .005, "EF21, sparse dithering, ν = 0.25", `ef21(${nearest(.25)})`),
  listed("momentum", .1, FLOATS, "average"),
  listed("sgd", .1, "dist-EF-SGD, scaled sign", "distEf"),
  listed("sgd", .2, "deep gradient compression, 1 %", "deepGradientCompression({ ratio: 0.01 })"),
  listed("sgd", .001, "majority vote, momentum 0.9", "majorityVote({ momentum: 0.9 })"),
  listed("sgd", .5, FLOATS, "average"),
  listed("sgd", .5, "1-bit SGD", "oneBitSgd"),
  listed("sgd", .5, "VR-DIANA, natural compression", "vrDiana(naturalCompression, { terms: 118 })"),
  listed("sgd", .3, "ADIANA, natural compression", "adiana(naturalCompression, { convexity: 0.01 })"),
  listed("sgd", .5, "MARINA, trellis dithering, ω = 0.5", "marina(subtractiveDithering({ omega: 0.5, states: 4 }))"),
];
