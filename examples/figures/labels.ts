/** Where the names of curves and points stand in a picture, so that none covers another, a point or a curve. @module */

type Pixel = readonly [x: number, y: number];

/** A name, and the pixel that it belongs to or, in order of preference, several. */
export interface Label {
  readonly text: string;
  readonly color: string;
  readonly at: readonly Pixel[];
}

/** A name at its place: the pixel it has chosen, and the one of its left end at half its height. */
interface PlacedLabel extends Label {
  readonly chosen: Pixel;
  readonly left: number;
  readonly middle: number;
}

/** The font's size, the height of a line, and about the width of a letter, in pixels. */
export const FONT = 12, LINE = 15, LETTER = 6.3;

/** Pixels between a point and its name. */
const GAP = 8;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function boxAt(text: string, left: number, middle: number): Box {
  return { left, right: left + LETTER * text.length, top: middle - LINE / 2, bottom: middle + LINE / 2 };
}

function isApart(a: Box, b: Box): boolean {
  return a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
}

/**
 * Places one name after another, each where it disturbs least: best right of its point, else left of it, above or below, or
 * some lines away.
 *
 * @param labels in the order in which they choose
 * @param marks the pixels of curves and points that no name should cover, and how bad it is to cover them
 * @param frame the part of the picture that names must stay in
 */
export function placeLabels(
  labels: readonly Label[],
  marks: readonly (readonly [x: number, y: number, weight: number])[],
  frame: Box,
): PlacedLabel[] {
  const boxes: Box[] = [];
  return labels.map((label) => {
    const { text, at } = label, width = LETTER * text.length;
    let best = { cost: Infinity, chosen: at[0]!, left: 0, middle: 0, box: boxAt(text, 0, 0) };
    const consider = (cost: number, chosen: Pixel, left: number, middle: number) => {
      const box = boxAt(text, left, middle);
      const cut = Math.max(0, frame.left - box.left) + Math.max(0, box.right - frame.right) +
        Math.max(0, frame.top - box.top) + Math.max(0, box.bottom - frame.bottom);
      const covered = marks.reduce(
        (sum, [a, b, weight]) =>
          box.left - 3 < a && a < box.right + 3 && box.top < b && b < box.bottom ? sum + weight : sum,
        0,
      );
      // A row further away is as bad as a mark of weight 1; to cover another name is worst.
      cost += covered + 100 * cut + 1000 * boxes.filter((other) => !isApart(box, other)).length;
      if (cost < best.cost) best = { cost, chosen, left, middle, box };
    };
    for (const [order, pixel] of at.entries()) {
      const [x, y] = pixel, sides = [GAP, -GAP - width];
      for (let row = 0; row * LINE < frame.bottom - frame.top; row++) {
        for (const down of row === 0 ? [0] : [-row, row]) {
          sides.forEach((side, i) => consider(row + .5 * i + order, pixel, x + side, y + down * LINE));
        }
      }
      for (const down of [-1, 1]) consider(1.5 + order, pixel, x - width / 2, y + down * LINE);
    }
    boxes.push(best.box);
    return { ...label, chosen: best.chosen, left: best.left, middle: best.middle };
  });
}
